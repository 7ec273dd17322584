#!/usr/bin/env bash
# Builds the lint plugin in Python into $SLUICE_GUESTS (or target/guests); does nothing when it is up to date.
# Needs python3; componentize-py is installed into a folder of its own in the user's cache.
set -euo pipefail
cd "$(dirname "$0")"

out="${SLUICE_GUESTS:-../../target/guests}"
tools="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/guests/python"
version=0.25.1

mkdir -p "$out"
out="$(cd "$out" && pwd)"
component="$out/python-lint.wasm"
if [ -e "$component" ] && [ -z "$(find ../../wit python-lint build-python.sh pack.py -newer "$component" -print -quit)" ]; then
    exit 0
fi

if [ "$("$tools/bin/componentize-py" --version 2>/dev/null)" != "componentize-py $version" ]; then
    echo "guests: installing componentize-py $version" >&2
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "componentize-py==$version"
fi

echo "guests: building python-lint" >&2
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cp python-lint/app.py "$scratch" # Python leaves compiled files beside the source.
"$tools/bin/componentize-py" --quiet -d ../../wit -d python-lint/plugin.wit -w example:python-lint/plugin \
    componentize -p "$scratch" app -o "$scratch/component.wasm"
python3 pack.py "$scratch/component.wasm" python-lint/plugin.yaml "$scratch/python-lint.wasm"
mv "$scratch/python-lint.wasm" "$component"
