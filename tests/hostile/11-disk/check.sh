test "$(wc -c < big)" -le 1048576
