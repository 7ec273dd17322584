printf "version: 1\nexec: false\n" > "$OUTSIDE/policy.yaml"
