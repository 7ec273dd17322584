"$SLUICE" run >&2 || test $? = 75
sed -i "s/got /evil /" .sluice/runs/*/workflow.yaml
