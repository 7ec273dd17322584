! "$SLUICE" run >&2
sed -i "3d" .sluice/runs/*/events.jsonl
