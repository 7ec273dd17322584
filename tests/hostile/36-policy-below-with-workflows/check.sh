test ! -e planted && test ! -e sub/planted
