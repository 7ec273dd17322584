//! Programs on the machine that runs the workflow.
//!
//! What this crate promises is which programs run (granted ones, found on the host's search path outside the workspace),
//! with which arguments and environment (a cleared one), that they are started confined unless the host was told otherwise,
//! and that none of them outlives its step. What a confined program may touch is the business of `sluice_confine`.

mod command;
mod confine;
pub mod guard;
mod host;
mod processes;
mod program;

pub use command::Command;
pub use confine::{Confine, Digests, LauncherCommand};
pub use guard::{Guard, GuardCommand};
pub use host::{Exec, ExecView, Listen, Pipe, RevealSecret, add_to_linker};
pub use processes::{GRACE, Processes};
pub use program::find as find_program;
