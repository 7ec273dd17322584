#!/usr/bin/env bash
# Makes sure that rustc can build for wasm32-wasip2. Prints nothing when it can already.
set -euo pipefail

target=wasm32-wasip2
present() { compgen -G "$(rustc --print target-libdir --target "$target" 2>/dev/null)/libstd-*.rlib" >/dev/null; }

present && exit 0
echo "setup: adding the Rust target $target" >&2
if command -v rustup >/dev/null && rustup target add "$target" && present; then
    exit 0
fi
exec "$(dirname "$0")/wasm-target-debian.sh"
