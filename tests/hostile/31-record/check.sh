! grep -q evil .sluice/runs/forged
