#!/usr/bin/env bash
# Makes a container registry and the programs that the tests compare with available: docker-registry, crane, oras, cosign.
# Links to those of the machine, or unpacks the packages of Debian into a folder of the user's cache. Does nothing when all is
# there.
set -euo pipefail

home="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/servers/registry"
programs=(docker-registry crane oras cosign)

say() { printf 'servers: %s\n' "$*" >&2; }

missing() {
    for program in "${programs[@]}"; do
        [ -x "$home/bin/$program" ] || echo "$program"
    done
}

mkdir -p "$home/bin"
for program in $(missing); do
    if place=$(command -v "$program"); then ln -sfn "$place" "$home/bin/$program"; fi
done
mapfile -t wanted < <(missing)
[ "${#wanted[@]}" = 0 ] && exit
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
if ! command -v apt-get >/dev/null || [ ! -f "$keyring" ]; then
    say "${wanted[*]}: not here, and no Debian to get them from; their tests are skipped"
    exit
fi
# Only the newest suite has all of them. Its lists are read beside those of the machine, so nothing of the machine changes.
say "unpacking ${wanted[*]} into $home"
apt="$home/apt"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$home/root"
printf 'deb [signed-by=%s] http://deb.debian.org/debian sid main\n' "$keyring" >"$apt/sources.list"
options=(
    -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User= --quiet=2
)
apt-get "${options[@]}" update
(cd "$apt" && apt-get "${options[@]}" download "${wanted[@]}")
for package in "$apt"/*.deb; do dpkg --extract "$package" "$home/root"; done
rm -r "$apt"
# They need the C library and nothing else.
for program in "${wanted[@]}"; do ln -sfn "$home/root/usr/bin/$program" "$home/bin/$program"; done
[ -z "$(missing)" ] || { say "something is still missing in $home/bin"; exit 1; }
