! grep -q evil plugins/command.wasm
