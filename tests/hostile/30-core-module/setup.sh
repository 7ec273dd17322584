printf '\000asm\001\000\000\000' > plugins/module.wasm
