test "$(ls "$OUTSIDE")" = secret.txt
