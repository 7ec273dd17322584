ln "$OUTSIDE/secret.txt" borrowed.txt
