"$SLUICE" plugin pack plugins/bare.wasm one.yaml --output plugins/one.wasm
"$SLUICE" plugin pack plugins/bare.wasm two.yaml --output plugins/two.wasm
"$SLUICE" plugin push plugins/one.wasm "oci://$REGISTRY/more:v1" >&2
"$SLUICE" plugin add "oci://$REGISTRY/more:v1" --accept >&2
pinned=$("$SLUICE" plugin push plugins/two.wasm "oci://$REGISTRY/more:v2" | head -1)
sed "s#PINNED#$pinned#" sluice.yaml > asked.yaml; mv asked.yaml sluice.yaml
