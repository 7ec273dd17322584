# A custom section: id 0, length, name length, name, text. 1 MiB and 16 bytes, in LEB128.
{ cat plugins/bare.wasm; printf '\000\220\200\100\017sluice:manifest'; head -c 1048576 /dev/zero | tr '\0' '#'; } > plugins/huge.wasm
