#!/bin/sh
# Fails on purpose: says why on standard error and ends with EXIT_CODE, 3 if unset. WAIT_SECONDS sets a wait before that (none if unset).
trap 'kill "$pause" 2>/dev/null; exit 143' TERM INT
sleep "${WAIT_SECONDS:-0}" &
pause=$!
wait "$pause"
echo "The work can't be done: this container fails on purpose." >&2
exit "${EXIT_CODE:-3}"
