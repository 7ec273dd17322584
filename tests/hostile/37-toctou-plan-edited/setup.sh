"$SLUICE" plan -o seen.plan >&2
sed -i "s/read \./write ./" seen.plan
