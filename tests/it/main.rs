//! Sluice from outside: the built binary in a hermetic environment, with a home, a cache and a workspace of its own.
//!
//! `just test` sets `SLUICE_BIN`; by hand: `just build && cargo test --release -p sluice-tests`.

mod architecture;
mod bad_workflows;
mod commands;
mod environment;
mod examples;
mod foreign_guests;
mod main_job;
mod parts;
mod plans;
mod prune;
mod records;
mod server;
mod watch;
