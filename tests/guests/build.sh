#!/usr/bin/env bash
# Builds the guests of the tests into TARGET/guests; what is up to date is left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

target="${CARGO_TARGET_DIR:-$PWD/target}"
mkdir -p "$target/guests"

fallback="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/wasm-toolchain/usr/bin/rustc"
libraries=$(rustc --print target-libdir --target wasm32-wasip2 2>/dev/null || true)
if ! compgen -G "$libraries/libstd-*.rlib" >/dev/null && [ -x "$fallback" ]; then
    export RUSTC="$fallback"
fi

# The folder in which the first-party plugins are built too, so that the SDK is compiled once.
cargo build --quiet --locked --profile plugin --target wasm32-wasip2 --target-dir "$target/plugins" \
    -p sluice-guest-noop -p sluice-guest-greet -p sluice-guest-seer
cp -u "$target/plugins/wasm32-wasip2/plugin/sluice_guest_noop.wasm" "$target/guests/noop.wasm"
cp -u "$target/plugins/wasm32-wasip2/plugin/greet.wasm" "$target/guests/greet.wasm"
cp -u "$target/plugins/wasm32-wasip2/plugin/sluice_guest_seer.wasm" "$target/guests/seer.wasm"

for script in tests/guests/build-*.sh; do
    SLUICE_GUESTS="$target/guests" "$script"
done
