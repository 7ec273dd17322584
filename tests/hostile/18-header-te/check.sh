test "$REQUESTS" = 0
