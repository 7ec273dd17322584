test ! -e "$OUTSIDE/evil"
