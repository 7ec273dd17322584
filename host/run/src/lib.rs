//! [`sluice_plan::Plan`] -> events. Knows no YAML, no wasm, no terminal, no disk.
//!
//! [`scheduler`] decides what happens next and is pure; [`dispatcher`] is the one loop that does it.

pub mod dispatcher;
mod retry;
pub mod reuse;
pub mod runner;
pub mod scheduler;

pub use dispatcher::{Ask, Control, End, Options, run};
pub use reuse::Reuse;
pub use runner::{StepCall, StepEvents, StepReport, StepRunner, Summary};
