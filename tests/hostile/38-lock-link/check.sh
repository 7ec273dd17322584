cmp "$OUTSIDE/lock" "$OUTSIDE/before"
test ! -L sluice.lock
