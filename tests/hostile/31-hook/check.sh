! grep -q evil .git/hooks/pre-commit
