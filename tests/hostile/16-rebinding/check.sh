test "$REQUESTS" = 0
test "$(grep -c lookup "$OUTSIDE/names.log")" = 1
grep -qx "connect 8.8.8.8" "$OUTSIDE/names.log"
