ln -s "$OUTSIDE" link; ln -s "$OUTSIDE/secret.txt" notes
