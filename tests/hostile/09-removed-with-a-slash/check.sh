test -L link
test -e "$OUTSIDE/secret.txt"
