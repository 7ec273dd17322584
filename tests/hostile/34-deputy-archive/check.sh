archive=$(find .sluice/artifacts -type f ! -name '*.json')
test "$(tar -tzf "$archive")" = words
