! grep -q evil sluice.lock 2>/dev/null
