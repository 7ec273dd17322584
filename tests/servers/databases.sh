#!/usr/bin/env bash
# Makes PostgreSQL and Redis available to the tests: links to the programs, whatever their place, in a folder of the user's
# cache. What the machine lacks is installed by root and otherwise unpacked into that folder. Does nothing when all is there.
set -euo pipefail

home="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/servers/databases"
programs=(initdb postgres psql pg_dump pg_restore pg_isready redis-server redis-cli)

say() { printf 'servers: %s\n' "$*" >&2; }

complete() {
    for program in "${programs[@]}"; do
        [ -x "$home/bin/$program" ] || return 1
    done
}

# Where a program is on this machine. Debian keeps the newest server off the search path, and what stands on the path under
# the same names is a wrapper that reads the user's settings.
found() {
    local places
    places=$(compgen -G "/usr/lib/postgresql/*/bin/$1" | sort --version-sort) || true
    if [ -n "$places" ]; then tail -n 1 <<<"$places"; else command -v "$1"; fi
}

link() {
    mkdir -p "$home/bin"
    for program in "${programs[@]}"; do
        if place=$(found "$program"); then ln -sfn "$place" "$home/bin/$program"; fi
    done
}

# A program that was unpacked finds its libraries where they were unpacked.
wrap() {
    local libraries place
    libraries=$(find "$home/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
    for program in "${programs[@]}"; do
        [ -x "$home/bin/$program" ] && continue
        place=$(find "$home/root/usr/lib/postgresql" "$home/root/usr/bin" -path "*/bin/$program" 2>/dev/null | head -n 1)
        [ -n "$place" ] || continue
        printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries" "$place" >"$home/bin/$program"
        chmod 755 "$home/bin/$program"
    done
}

packages() {
    [ -x "$home/bin/redis-server" ] && [ -x "$home/bin/redis-cli" ] || echo redis-server
    for program in initdb postgres psql pg_dump pg_restore pg_isready; do
        if [ ! -x "$home/bin/$program" ]; then
            echo postgresql
            return
        fi
    done
}

unpack() {
    local wanted
    wanted=$(apt-get install --simulate --no-install-recommends "$@" | awk '$1 == "Inst" {print $2}')
    mkdir -p "$home/packages" "$home/root"
    # shellcheck disable=SC2086 # a list of names
    (cd "$home/packages" && apt-get download --quiet=2 $wanted)
    for package in "$home"/packages/*.deb; do dpkg --extract "$package" "$home/root"; done
    rm -r "$home/packages"
}

complete && exit
link
complete && exit
if ! command -v apt-get >/dev/null; then
    say "PostgreSQL and Redis are not all here, and there is no apt-get to get them; their tests are skipped"
    exit
fi
mapfile -t wanted < <(packages)
if [ "$(id -u)" = 0 ]; then
    say "installing ${wanted[*]}"
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends "${wanted[@]}" >/dev/null
    link
else
    say "unpacking ${wanted[*]} into $home"
    unpack "${wanted[@]}"
    wrap
fi
complete || { say "something is still missing in $home/bin"; exit 1; }
