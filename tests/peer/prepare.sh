#!/bin/sh
# Installs the peers that npm brings (package.json) into a folder. What is there already stays.
#
# usage: prepare.sh FOLDER
set -eu

if [ $# -ne 1 ]; then
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi
wanted=$(cd "$(dirname "$0")" && pwd)/package.json
if ! command -v npm >/dev/null; then
    echo "peers: npm is missing; on Debian: apt-get install npm" >&2
    exit 1
fi
mkdir -p "$1"
cd "$1"
# The copy is made last, so an installation that was cut off is begun again.
if cmp -s "$wanted" installed.json; then
    echo "peers: all are there"
else
    rm -f installed.json
    cp "$wanted" package.json
    npm install --no-audit --no-fund --no-package-lock
    cp "$wanted" installed.json
fi
for tool in java:default-jre-headless nginx:nginx-light; do
    if ! PATH="$PATH:/usr/sbin" command -v "${tool%%:*}" >/dev/null; then
        echo "peers: ${tool%%:*} is missing, its tests will be skipped; on Debian: apt-get install ${tool##*:}"
    fi
done
