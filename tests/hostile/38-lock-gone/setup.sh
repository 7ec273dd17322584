mkdir src; echo password > src/app.py
sed "s/REGISTRY/$REGISTRY/" sluice.yaml > asked.yaml; mv asked.yaml sluice.yaml
"$SLUICE" plugin push plugins/scanner.wasm "oci://$REGISTRY/gone:v1" >&2
"$SLUICE" plugin add "oci://$REGISTRY/gone:v1" --accept >&2
rm sluice.lock
