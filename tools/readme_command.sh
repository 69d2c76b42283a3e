#!/bin/sh
# Prints the command of README.md that runs a workflow preset, so that what CI and the trial on a
# fresh system run is what a reader copies.
#
# usage: tools/readme_command.sh demo|test
set -eu
cd "$(dirname "$0")/.."

preset="$1"
command=""
if [ -e README.md ]; then
    command=$(awk -v phrase="cmake --workflow --preset $preset" '
        /^[[:space:]]*```/ { inside = !inside; next }
        inside && index($0, phrase) { sub(/^[[:space:]]*(\$ )?/, ""); print; exit }' README.md)
    if [ -z "$command" ]; then
        echo "readme_command: README.md has no command line for the preset '$preset'" >&2
        exit 1
    fi
fi
echo "${command:-./tools/deps.sh && cmake --workflow --preset $preset}"
