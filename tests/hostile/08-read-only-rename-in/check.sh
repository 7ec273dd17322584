test "$(cat src/a)" = as-it-was
test ! -e src/new
test ! -e src/b
test ! -e dist/a
