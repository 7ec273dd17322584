mkdir site evil; echo words > site/index.html; echo evil > evil/index.html; tar -C evil -czf evil.tar.gz index.html
