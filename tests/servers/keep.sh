# Runs a server until standard input ends, which it does when the test that wants it is gone, however it went. Nothing of
# the server is left then. Arguments: the signal that ends the server, and the command.
signal=$1
shift
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
cat <&3 >/dev/null &
reader=$!
wait -n "$server" "$reader"
kill -s "$signal" "$server" 2>/dev/null
for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
kill -s KILL "$server" "$reader" 2>/dev/null
wait
