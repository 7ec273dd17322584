"$SLUICE" run >&2 || test $? = 75
sed -i "s/harmless/harmful/g" .sluice/runs/*/events.jsonl
