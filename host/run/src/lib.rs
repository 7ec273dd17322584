//! [`sluice_plan::Plan`] -> events. Knows no YAML, no wasm, no terminal, no disk.

pub mod runner;

pub use runner::{StepCall, StepEvents, StepReport, StepRunner, Summary};
