test "$(cat "$OUTSIDE/secret.txt")" != ""
test -L link
