! grep -q evil .sluice/runs/forged 2>/dev/null
