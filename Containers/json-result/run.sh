#!/bin/sh
# Counts files and bytes below FOLDER (this folder if unset), tells its progress line by line, and gives its result as one JSON
# object on the last line of its output. STEPS sets the number of progress lines, WAIT_SECONDS the wait before each (none if unset).
trap 'kill "$pause" 2>/dev/null; exit 143' TERM INT
folder=${FOLDER:-.}
steps=${STEPS:-3}
step=0
while [ "$step" -lt "$steps" ]; do
  sleep "${WAIT_SECONDS:-0}" &
  pause=$!
  wait "$pause"
  step=$((step + 1))
  echo "step $step of $steps"
done
files=$(find "$folder" -type f | wc -l)
bytes=$(find "$folder" -type f -exec cat {} + | wc -c)
printf '{"files":%d,"bytes":%d,"steps":%d}\n' "$files" "$bytes" "$steps"
