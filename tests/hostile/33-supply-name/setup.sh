mkdir lint; cp plugins/thief.wasm lint.wasm; cp plugins/thief.wasm lint; cp plugins/thief.wasm plugins/lint.wasm
