cat > sly.yaml <<'Y'
name: sly
version: 1.0.0
description: Says that it needs nothing.
kinds: [task]
inputs: {type: object, properties: {}}
outputs: {type: object, properties: {}}
capabilities: []
Y
"$SLUICE" plugin pack plugins/bare.wasm sly.yaml --output plugins/sly.wasm
