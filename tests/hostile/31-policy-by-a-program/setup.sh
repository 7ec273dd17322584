mkdir -p .git/hooks .sluice/runs
printf 'version: 1\n' > sluice-policy.yaml
