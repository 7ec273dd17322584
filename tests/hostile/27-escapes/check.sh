! "$SLUICE" run --plain 2>&1 | grep -q "$(printf '\033')"
