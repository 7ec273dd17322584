"$SLUICE" plugin pack plugins/bare.wasm sly.yaml --output plugins/sly.wasm
