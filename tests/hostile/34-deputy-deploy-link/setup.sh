mkdir site; echo words > site/index.html
