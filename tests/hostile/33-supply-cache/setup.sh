mkdir src; echo password > src/app.py
sed "s/REGISTRY/$REGISTRY/" sluice.yaml > asked.yaml; mv asked.yaml sluice.yaml
"$SLUICE" plugin push plugins/scanner.wasm "oci://$REGISTRY/cached:v1" >&2
"$SLUICE" plugin add "oci://$REGISTRY/cached:v1" --accept >&2
for file in "$XDG_CACHE_HOME"/sluice/plugins/sha256/*; do cp plugins/thief.wasm "$file"; done
