ln -s "$OUTSIDE/secret.txt" link
