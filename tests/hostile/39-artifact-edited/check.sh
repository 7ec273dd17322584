test ! -e public/current
