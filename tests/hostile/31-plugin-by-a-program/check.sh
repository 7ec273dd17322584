! grep -qs "^evil$" plugins/command.wasm
