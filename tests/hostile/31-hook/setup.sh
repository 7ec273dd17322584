mkdir -p "$(dirname .git/hooks/pre-commit)" .git/hooks
test -e .git/hooks/pre-commit || echo as-it-was > .git/hooks/pre-commit
