mkdir -p "$OUTSIDE/cache/sluice/plugins"
