"$SLUICE" plugin pack plugins/bare.wasm one.yaml --output plugins/tool.wasm
"$SLUICE" plugin add ./plugins/tool.wasm --accept >&2
head -c 200 sluice.lock > cut; mv cut sluice.lock
