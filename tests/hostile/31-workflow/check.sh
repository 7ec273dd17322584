! grep -q evil workflows/ci.yaml 2>/dev/null
