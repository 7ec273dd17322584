cmp other.yaml sluice.yaml
