printf 'steps:\n  - uses: ./plugins/command.wasm\n    with: {args: [nothing]}\n  - uses: ./plugins/thief.wasm\n' > before.yaml
"$SLUICE" run before.yaml >&2 || true
set -- $(find "$XDG_CACHE_HOME" -type f -size +100k)
test $# = 2
cp "$1" kept; cp "$2" "$1"; cp kept "$2"
