! grep -q evil sluice-policy.yaml
