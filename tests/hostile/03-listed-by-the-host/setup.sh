rm -r plugins/bare.wasm; ln -s "$OUTSIDE" folder; ln -s "$OUTSIDE/secret.txt" link; echo words > harmless
