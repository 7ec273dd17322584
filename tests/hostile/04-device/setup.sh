ln -s /dev/zero zeros
