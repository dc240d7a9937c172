#!/bin/sh
# Waits, then says hello. WAIT_SECONDS sets the wait; five minutes if it is unset.
trap 'kill "$pause" 2>/dev/null; exit 143' TERM INT
sleep "${WAIT_SECONDS:-300}" &
pause=$!
wait "$pause"
echo "Hello World!"
