"$SLUICE" plugin pack plugins/bare.wasm seen.yaml --output plugins/seen.wasm
