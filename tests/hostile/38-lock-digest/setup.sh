"$SLUICE" plugin pack plugins/bare.wasm one.yaml --output plugins/tool.wasm
"$SLUICE" plugin add ./plugins/tool.wasm --accept >&2
"$SLUICE" plugin pack plugins/bare.wasm two.yaml --output plugins/tool.wasm
sed -i "s/digest: .*/digest: sha256:$(sha256sum plugins/tool.wasm | cut -d' ' -f1)/" sluice.lock
