! grep -q evil sluice-policy.yaml 2>/dev/null
