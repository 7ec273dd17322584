test ! -e planted
