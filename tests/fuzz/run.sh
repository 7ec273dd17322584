#!/usr/bin/env bash
# Fuzzes the named targets, each for so many seconds: run.sh SECONDS TARGET...
set -euo pipefail
cd "$(dirname "$0")"

seconds="$1"
shift
for target in "$@"; do
    corpus="corpus/$target"
    mkdir -p "$corpus"
    case "$target" in
        workflow) cp ../../workflows/*.yaml "$corpus" ;;
        manifest) for plugin in ../../plugins/*/; do cp "$plugin/plugin.yaml" "$corpus/$(basename "$plugin").yaml"; done ;;
        *) cp "seeds/$target"/* "$corpus" ;;
    esac
    # Coverage alone: there is no unsafe code to watch, and so no nightly compiler is needed.
    RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . --sanitizer none "$target" "$corpus" -- \
        -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1
done
