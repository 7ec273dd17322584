//! Programs on the machine that runs the workflow.
//!
//! A program that is granted runs unconfined: what it may do is the operating system's business. What this crate promises
//! is which programs run (granted ones, found on the host's search path outside the workspace), with which environment
//! (a cleared one), and that none of them outlives its step.

mod command;
pub mod guard;
mod host;
mod processes;
mod program;

pub use command::Command;
pub use guard::{Guard, GuardCommand};
pub use host::{Exec, ExecView, Listen, Pipe, RevealSecret, add_to_linker};
pub use processes::{GRACE, Processes};
pub use program::find as find_program;
