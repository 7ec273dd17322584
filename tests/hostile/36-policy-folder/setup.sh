mkdir sluice-policy.yaml
