#!/usr/bin/env bash
# Installs moto, which plays AWS for the tests, into a folder of its own in the user's cache; does nothing when it is there.
set -euo pipefail

tools="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/servers/moto"
version=5.2.5

if ! "$tools/bin/pip" show moto 2>/dev/null | grep -x "Version: $version" >/dev/null; then
    echo "servers: installing moto $version" >&2
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "moto[iam,secretsmanager]==$version" flask flask-cors
fi
