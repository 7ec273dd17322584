mkdir -p out .git/hooks
