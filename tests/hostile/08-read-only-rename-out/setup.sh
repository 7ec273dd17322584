mkdir src dist
echo as-it-was > src/a
echo b > dist/b
