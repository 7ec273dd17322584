grep -q "^# tries" sluice.yaml
