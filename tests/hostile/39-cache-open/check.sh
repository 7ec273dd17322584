test -z "$(find "$XDG_CACHE_HOME" -type f -size +100k)"
