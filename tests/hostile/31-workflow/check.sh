! grep -q evil workflows/ci.yaml
