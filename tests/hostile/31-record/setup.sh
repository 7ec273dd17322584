mkdir -p "$(dirname .sluice/runs/forged)" .git/hooks
test -e .sluice/runs/forged || echo as-it-was > .sluice/runs/forged
