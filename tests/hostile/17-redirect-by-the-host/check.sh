test "$REQUESTS" = 1
