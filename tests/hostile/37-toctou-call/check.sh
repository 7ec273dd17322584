cmp other.yaml ci/later.yaml
