test ! -e "$OUTSIDE/planted"
