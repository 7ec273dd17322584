mkdir -p .git/hooks .sluice/runs
