printf "env: {KEY: %s}\n" "$HOME/.ssh/id_ed25519" >> sluice.yaml
