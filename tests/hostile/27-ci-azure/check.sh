! "$SLUICE" run --plain 2>&1 | grep -E '^[[:space:]]*::|##\[|##vso\[|##teamcity\['
