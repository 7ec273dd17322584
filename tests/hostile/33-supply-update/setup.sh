"$SLUICE" plugin pack plugins/bare.wasm one.yaml --output plugins/one.wasm
"$SLUICE" plugin pack plugins/bare.wasm two.yaml --output plugins/two.wasm
"$SLUICE" plugin push plugins/one.wasm "oci://$REGISTRY/update:v1" >&2
"$SLUICE" plugin add "oci://$REGISTRY/update:v1" --accept >&2
"$SLUICE" plugin push plugins/two.wasm "oci://$REGISTRY/update:v1" >&2
cp sluice.lock "$OUTSIDE"
