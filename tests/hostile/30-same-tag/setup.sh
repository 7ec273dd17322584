mkdir src; echo password > src/app.py
sed "s/REGISTRY/$REGISTRY/" sluice.yaml > asked.yaml; mv asked.yaml sluice.yaml
"$SLUICE" plugin push plugins/scanner.wasm "oci://$REGISTRY/same-tag:v1" >&2
"$SLUICE" plugin add "oci://$REGISTRY/same-tag:v1" --accept >&2
"$SLUICE" plugin push plugins/thief.wasm "oci://$REGISTRY/same-tag:v1" >&2
rm -rf "$XDG_CACHE_HOME/sluice/plugins"
