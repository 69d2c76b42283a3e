#!/bin/sh
# Runs the two commands of README.md on a fresh, minimal Debian 12, each in a copy of its own, as
# somebody would who has just cloned the repository. Needs root, debootstrap and network; the
# mirrors are those that this machine uses. Not part of CI: it takes minutes.
#
# usage: tools/try_fresh_debian.sh [FOLDER]      FOLDER keeps the base system for the next time
set -eu
cd "$(dirname "$0")/.."
repository=$PWD
release=bookworm

if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
    echo "try_fresh_debian: needs root and debootstrap" >&2
    exit 2
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/purser-fresh.XXXXXX")
base=${1:-$work}/base

# shellcheck disable=SC2317
leave() {
    for folder in "$work"/*; do
        for inner in proc dev; do
            if mountpoint -q "$folder/$inner"; then
                umount "$folder/$inner"
            fi
        done
    done
    rm -rf --one-file-system "$work"
}
trap leave EXIT

# The first archive of the release that apt knows here.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 2>/dev/null |
    awk -v release="$release" '$2 == release { print $1; exit }')
if [ -z "$mirror" ]; then
    echo "try_fresh_debian: apt on this machine has no source for $release" >&2
    exit 2
fi

if [ ! -e "$base/etc/debian_version" ]; then
    mkdir -p "$base"
    debootstrap --variant=minbase "$release" "$base" "$mirror" >"$work/debootstrap.log" 2>&1 || {
        tail -20 "$work/debootstrap.log" >&2
        exit 1
    }
    # How this machine reaches its archives: sources, proxies, keys and certificates.
    # shellcheck disable=SC2046
    for path in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/trusted.gpg.d \
        /etc/apt/keyrings /usr/share/keyrings /etc/ssl/certs \
        $(grep -ls Acquire /etc/apt/apt.conf /etc/apt/apt.conf.d/*); do
        if [ -e "$path" ]; then
            mkdir -p "$base$(dirname "$path")"
            cp -aL "$path" "$base$(dirname "$path")/"
        fi
    done
fi

result=0
for preset in demo test; do
    root="$work/$preset"
    command=$(tools/readme_command.sh "$preset")
    echo "==> fresh $release, $preset: $command"
    cp -a "$base" "$root"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
    git clone -q --no-hardlinks "$repository" "$root/root/purser"
    mount --bind /proc "$root/proc"
    mount --bind /dev "$root/dev"
    begin=$(date +%s)
    if chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        sh -c "cd /root/purser && $command" >"$work/$preset.log" 2>&1; then
        verdict=passed
    else
        verdict=FAILED
        result=1
        grep -A 20 -e '\*\*\*Failed' -e 'error:' "$work/$preset.log" | head -100 || true
    fi
    tail -15 "$work/$preset.log"
    echo "==> fresh $release, $preset: $verdict in $(($(date +%s) - begin)) s"
    umount "$root/proc" "$root/dev"
    rm -rf --one-file-system "$root"
done
exit "$result"
