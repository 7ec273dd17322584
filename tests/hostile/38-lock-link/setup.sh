"$SLUICE" plugin pack plugins/bare.wasm one.yaml --output plugins/tool.wasm
"$SLUICE" plugin add ./plugins/tool.wasm --accept >&2
mv sluice.lock "$OUTSIDE/lock"; cp "$OUTSIDE/lock" "$OUTSIDE/before"; ln -s "$OUTSIDE/lock" sluice.lock
"$SLUICE" plugin pack plugins/bare.wasm two.yaml --output plugins/tool.wasm
