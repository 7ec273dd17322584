test ! -e later
