! grep -q evil sluice.lock
