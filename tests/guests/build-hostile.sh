#!/usr/bin/env bash
# Builds the guests that misbehave into $SLUICE_GUESTS (or target/guests); Cargo does nothing when they are up to date.
set -euo pipefail
cd "$(dirname "$0")"

out="${SLUICE_GUESTS:-../../target/guests}"
mkdir -p "$out"
out="$(cd "$out" && pwd)"
cd hostile
# What the tests' own build was told is not for another target.
env -u RUSTFLAGS CARGO_TARGET_DIR="$out" cargo build --quiet --release --locked --target wasm32-wasip2
cp -u "$out/wasm32-wasip2/release/hostile-command.wasm" "$out/hostile-command.wasm"
cp -u "$out/wasm32-wasip2/release/hostile_task.wasm" "$out/hostile-task.wasm"
cp -u "$out/wasm32-wasip2/release/scanner.wasm" "$out/wasm32-wasip2/release/thief.wasm" "$out"
