# Recipes of the project; `just` lists them.

set shell := ["bash", "-euo", "pipefail", "-c"]

target := env("CARGO_TARGET_DIR", justfile_directory() / "target")
sluice := target / "release/sluice"

# List the recipes
default:
    @just --list --unsorted

# Install what a fresh machine lacks: the wasm target
setup:
    @sdk/wasm-target.sh

# Build target/release/sluice with the first-party plugins inside. The whole workspace, so that the features of what is
# shared are those of the tests, and the sandbox is compiled once
build: setup
    cargo build --release --locked --workspace --bins

# The main job: workflows/ci.yaml on this repository
demo: build
    {{sluice}} run ci

# All tests: the crates, the plugins, and the binary from outside. Binary and tests are built as one, so that what they
# share is compiled once
test *ARGS: guests servers
    cargo build --release --locked --workspace --bins --tests
    SLUICE_BIN={{sluice}} cargo test --release --locked --workspace --no-fail-fast {{ARGS}}

# Plugins in Python and C from the same wit/, and guests that misbehave; built once
guests: setup
    @tests/guests/build.sh

# Servers that the tests talk to; installed once
servers:
    @tests/servers/aws.sh
    @tests/servers/databases.sh
    @tests/servers/registry.sh

# Our figures beside those of peers, measured in one run; `just bench killed`: what each does when it is killed
bench *ARGS: build guests
    {{target}}/release/bench {{sluice}} {{ARGS}}

# Fuzz all that reads text from outside, each target for so many seconds; installs cargo-fuzz on first use. What it finds
# stays in tests/fuzz/artifacts
fuzz SECONDS="60" *TARGETS="workflow expression event manifest grant quantity lock policy host_pattern":
    command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked --quiet
    tests/fuzz/run.sh {{SECONDS}} {{TARGETS}}

# Formatting, lints, advisories and licences
check:
    cargo fmt --all --check
    cargo clippy --release --locked --workspace --all-targets -- -D warnings

# Licences, sources, known advisories; installs cargo-deny on first use
deny:
    command -v cargo-deny >/dev/null || cargo install cargo-deny --locked --quiet
    cargo deny --log-level error check licenses bans sources
    if timeout 60 cargo deny --log-level off fetch db; then cargo deny --log-level error check advisories; \
        else echo "deny: the advisory database is out of reach; advisories were NOT checked" >&2; fi

# What CI runs
ci: check test deny demo
