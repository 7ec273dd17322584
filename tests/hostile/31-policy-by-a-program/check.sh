! grep -qs "^evil$" sluice-policy.yaml
