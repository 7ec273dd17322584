test ! -e "$OUTSIDE/cache/sluice/plugins/evil"
