mkdir -p "$(dirname sluice-policy.yaml)" .git/hooks
