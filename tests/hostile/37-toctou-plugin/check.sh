cmp plugins/thief.wasm plugins/command.wasm
