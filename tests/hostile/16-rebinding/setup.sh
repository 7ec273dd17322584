sed -i "s/PORT/${SERVER##*:}/" sluice.yaml
