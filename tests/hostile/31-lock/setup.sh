mkdir -p "$(dirname sluice.lock)" .git/hooks
