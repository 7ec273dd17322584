! grep -rq canary public 2>/dev/null
