ln -s "$OUTSIDE" folder
