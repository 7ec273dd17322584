//! Runs a step in wasmtime.
//!
//! [`inspect`] reads what a component says of itself. [`WasmRunner`] runs steps: each call gets a fresh store whose every
//! default is "no", and in it exactly what the step was granted.

mod bindings;
mod call;
mod compiler;
mod failure;
mod files;
mod host;
pub mod inspect;
mod limiter;
mod linker;
mod plugin;
mod ports;
mod runner;
mod state;
mod stdio;
mod text;
mod ticker;
mod voice;
mod watch;
mod worker;
mod workspace;

pub use compiler::{CompilerCommand, compile_stdin};
pub use files::list_files;
pub use inspect::{InspectError, Inspection, inspect};
pub use plugin::{Code, Plugin};
pub use runner::{Protection, Settings, WasmRunner};
pub use sluice_capability_exec::guard::guard;
pub use sluice_capability_exec::{GuardCommand, LauncherCommand, find_program};
pub use sluice_capability_files::ALWAYS as PROTECTED;
pub use sluice_capability_secrets::{SHORTEST_VALUE as SHORTEST_SECRET, SecretValues};
pub use worker::{WorkerCommand, serve};
