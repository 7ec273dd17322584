ln -s "$OUTSIDE" out
