test ! -L trap
