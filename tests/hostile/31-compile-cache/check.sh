test ! -e found
test -z "$(find .cache/sluice/compiled -type f 2>/dev/null)"
