test -d .git
