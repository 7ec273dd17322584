# A second section of the same name: id 0, length, name length, name, text.
printf '\000\022\017sluice:manifest{}' > tail
cat plugins/task.wasm tail > plugins/two.wasm
