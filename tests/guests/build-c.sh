#!/usr/bin/env bash
# Builds the lint plugin in C into $SLUICE_GUESTS (or target/guests); does nothing when it is up to date.
# Needs python3 and cargo; the C compiler is zig, installed into a folder of its own in the user's cache.
set -euo pipefail
cd "$(dirname "$0")"

out="${SLUICE_GUESTS:-../../target/guests}"
tools="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/guests/c"
version=0.17.0

mkdir -p "$out"
out="$(cd "$out" && pwd)"
component="$out/c-lint.wasm"
if [ -e "$component" ] && [ -z "$(find ../../wit c-lint build-c.sh pack.py -newer "$component" -print -quit)" ]; then
    exit 0
fi

if ! "$tools/bin/pip" show ziglang 2>/dev/null | grep -x "Version: $version" >/dev/null; then
    echo "guests: installing zig $version" >&2
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "ziglang==$version"
fi

echo "guests: building c-lint" >&2
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cargo build --quiet --locked --release -p sluice-guest-c
tool="$(cargo metadata --format-version 1 --no-deps --locked | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release/sluice-guest-c"

"$tool" bindings ../../wit c-lint/plugin.wit "$scratch"
"$tools/bin/python" -m ziglang cc -target wasm32-wasi -mexec-model=reactor -Os -Wall -Wextra -Werror \
    -I "$scratch" c-lint/main.c "$scratch/plugin.c" "$scratch/plugin_component_type.o" -o "$scratch/module.wasm"
"$tool" component "$scratch/module.wasm" "$scratch/component.wasm"
python3 pack.py "$scratch/component.wasm" c-lint/plugin.yaml "$scratch/c-lint.wasm"
mv "$scratch/c-lint.wasm" "$component"
