#!/bin/sh
# Checks that all C files are formatted as .clang-format says, and prints the command that mends
# those that are not.
#
# usage: tools/check_format.sh [FILE...]
set -eu
cd "$(dirname "$0")/.."

if ! command -v clang-format >/dev/null; then
    echo "check_format: clang-format is missing; ./tools/deps.sh --ci installs it" >&2
    exit 2
fi
if [ $# -eq 0 ]; then
    # The names of the tree have no white space; a file that git ignores is nobody's.
    # shellcheck disable=SC2046
    set -- $(git ls-files --cached --others --exclude-standard -- \
        'src/*.[ch]' 'include/*.[ch]' 'tests/*.[ch]' 'tools/*.[ch]')
fi

checked=0
wrong=""
for file in "$@"; do
    [ -e "$file" ] || continue
    checked=$((checked + 1))
    clang-format --dry-run -Werror "$file" >/dev/null 2>&1 || wrong="$wrong $file"
done
if [ -n "$wrong" ]; then
    for file in $wrong; do
        clang-format --dry-run -Werror "$file" 2>&1 | grep -m 1 'error:' >&2 || true
    done
    echo "check_format: not formatted; this mends it:" >&2
    echo "    clang-format -i$wrong" >&2
    exit 1
fi
if [ "$checked" -eq 0 ]; then
    echo "check_format: no files to check" >&2
    exit 2
fi
echo "check_format: $checked files, all formatted"
