mkdir -p data/real
printf harmless > data/real/secret.txt
ln -s "$OUTSIDE" data/link
