cp plugins/scanner.wasm plugins/tool.wasm
"$SLUICE" plan -o seen.plan >&2
cp plugins/thief.wasm plugins/tool.wasm
