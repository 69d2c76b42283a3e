#!/bin/sh
# Measures the simulator's CPU time for each request: bench/run.sh BINARY [SECONDS] [OPTION...]
# wrk on one core, the simulator on another; CPU time by getrusage, from /_sim/stats.
set -eu
binary=$1
seconds=${2:-5}
[ $# -gt 2 ] && shift 2 || set --
here=$(dirname "$0")
address_file=$(mktemp)
SIM_JOBS=$(mktemp)
export SIM_JOBS
taskset -c 0 "$binary" --port 0 "$@" >"$address_file" &
simulator=$!
trap 'kill "$simulator" 2>/dev/null; rm -f "$address_file" "$SIM_JOBS"' EXIT
while [ ! -s "$address_file" ]; do sleep 0.05; done
address=$(cat "$address_file")
python3 "$here/jobs.py" "$address" >"$SIM_JOBS"
taskset -c 1 wrk -t1 -c64 -d"${seconds}s" -s "$here/mixed.lua" "$address" |
    grep -E 'Requests/sec|Non-2xx' || true
curl -s "$address/_sim/stats" | python3 "$here/figures.py"
