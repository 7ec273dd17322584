ln -s "$OUTSIDE" link
