grep -qx "lookup metadata.google.internal" "$OUTSIDE/names.log"
! grep -q "^connect 169" "$OUTSIDE/names.log"
