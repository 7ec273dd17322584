! grep -q evil .git/hooks/pre-commit 2>/dev/null
