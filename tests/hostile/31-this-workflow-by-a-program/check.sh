! grep -qs "^evil$" sluice.yaml
