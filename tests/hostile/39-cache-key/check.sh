! cmp -s "$(find "$XDG_CACHE_HOME" -name key)" "$OUTSIDE/key"
