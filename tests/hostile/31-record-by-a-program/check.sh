! grep -qs "^evil$" .sluice/runs/forged
