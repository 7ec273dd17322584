mkdir src; echo password > src/app.py
sed "s/REGISTRY/$REGISTRY/" sluice.yaml > asked.yaml; mv asked.yaml sluice.yaml
"$SLUICE" plugin push plugins/scanner.wasm "oci://$REGISTRY/vendored:v1" >&2
"$SLUICE" plugin add "oci://$REGISTRY/vendored:v1" --accept >&2
"$SLUICE" plugin vendor >&2
for file in vendor/plugins/*; do cp plugins/thief.wasm "$file"; done
