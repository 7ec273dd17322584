! grep -q evil plugins/command.wasm 2>/dev/null
