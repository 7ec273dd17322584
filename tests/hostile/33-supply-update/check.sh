cmp sluice.lock "$OUTSIDE/sluice.lock"
