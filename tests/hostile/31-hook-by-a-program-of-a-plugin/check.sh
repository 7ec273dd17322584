! grep -qs "^evil$" .git/hooks/pre-commit
