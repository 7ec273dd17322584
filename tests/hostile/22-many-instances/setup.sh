for _ in $(seq 900); do echo "  (core instance (instantiate \$m))"; done > instances
sed -i -e '/INSTANCES/{r instances' -e 'd}' plugins/many.wat
