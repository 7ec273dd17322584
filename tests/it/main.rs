//! Sluice from outside: the built binary in a hermetic environment, with a home, a cache and a workspace of its own.
//!
//! `just test` sets `SLUICE_BIN`; by hand: `just build && cargo test --release -p sluice-tests`.

mod approval;
mod architecture;
mod attacks;
mod audit;
mod backup;
mod bad_workflows;
mod calls;
mod changes;
mod commands;
mod concurrency;
mod confined;
mod databases;
mod deploy_script;
mod documentation;
mod environment;
mod examples;
mod foreign_guests;
mod hostile;
mod keyless;
mod killed;
mod main_job;
mod network;
mod outside;
mod parts;
mod plans;
mod policy;
mod prune;
mod records;
mod registry;
mod repository;
mod requires;
mod resume;
mod secret_sources;
mod secrets;
mod server;
mod servers;
mod services;
mod vault;
mod waiting;
mod watch;
