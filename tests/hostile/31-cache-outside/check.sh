test ! -e ../cache/sluice/evil
