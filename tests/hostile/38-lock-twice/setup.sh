"$SLUICE" plugin pack plugins/bare.wasm one.yaml --output plugins/tool.wasm
"$SLUICE" plugin add ./plugins/tool.wasm --accept >&2
sed -n "/- source/,\$p" sluice.lock > again; cat again >> sluice.lock
