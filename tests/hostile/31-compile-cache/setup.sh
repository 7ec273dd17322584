printf 'steps:\n  - uses: ./plugins/command.wasm\n    with: {args: [nothing]}\n' > before.yaml
"$SLUICE" run before.yaml >&2
