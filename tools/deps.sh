#!/bin/sh
# Installs what is needed to build and test purser on Debian 12, and nothing that is there already:
# when nothing is missing it asks for no password and touches no network.
#
# usage: tools/deps.sh [--ci] [--list]
#   --ci     also what the continuous integration uses (clang, checkers, load generators)
#   --list   print the packages that are missing, install nothing
set -eu

build="gcc libc6-dev make cmake pkg-config python3"
libraries="libcurl4-openssl-dev libssl-dev liblmdb-dev libmsgpack-dev libyaml-dev
libcsv-dev libxxhash-dev zlib1g-dev libzstd-dev"
simulator="libh2o-evloop-dev libjson-c-dev"
tests="libcmocka-dev git ca-certificates"
checkers="clang libclang-rt-dev clang-tidy clang-format clang-tools wrk nghttp2-client python3-lmdb python3-msgpack
python3-jsonschema python3-yaml python3-croniter python3-clang-14 man-db"
coverage="clang-19 libclang-rt-19-dev llvm-19"

packages="$build $libraries $simulator $tests"
list_only=no
for argument in "$@"; do
    case "$argument" in
    --ci) packages="$packages $checkers $coverage" ;;
    --list) list_only=yes ;;
    *)
        sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
        exit 2
        ;;
    esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    cat >&2 <<'END'
deps: this is no Debian, so install these yourself, with their development files:
    gcc or clang, make, CMake 3.25 or newer, pkg-config, Python 3.9 or newer, git
    libcurl 7.88 or newer, OpenSSL 3, LMDB 0.9.24 or newer, msgpack-c (the C library) 4,
    libyaml 0.2.5, libcsv 3, xxHash 0.8, zlib 1.2, libzstd 1.5
    for the simulator: libh2o (evloop) 2.2, json-c 0.16; for the unit tests: cmocka 1.1
then go on with: cmake --workflow --preset test
END
    exit 1
fi

missing=""
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null) || status=""
    case " $status" in
    *" installed "*) ;;
    *) missing="$missing $package" ;;
    esac
done
if [ "$list_only" = yes ]; then
    for package in $missing; do
        echo "$package"
    done
    exit 0
fi
if [ -z "$missing" ]; then
    echo "deps: all packages are installed"
    exit 0
fi
echo "deps: installing$missing"

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps: run as root, for there is no sudo here: apt-get install$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi
apt_install() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install "$@" -q --no-install-recommends $missing
}
# The lists are fetched only when the known ones do not do: a fresh system has none.
if ! apt_install --simulate >/dev/null 2>&1; then
    $as_root apt-get update -q
fi
if ! apt_install -y; then
    $as_root apt-get update -q
    if ! apt_install -y; then
        echo "deps: apt-get could not install$missing" >&2
        echo "hint: purser is built and tested on Debian 12 (bookworm)" >&2
        exit 1
    fi
fi
