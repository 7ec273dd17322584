test ! -e "$OUTSIDE/names.log"
