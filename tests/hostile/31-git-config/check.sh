! grep -q evil .git/config 2>/dev/null
