! grep -q evil sluice.yaml
