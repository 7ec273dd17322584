//! The vocabulary of Sluice: the words that every other crate speaks. No IO, no clock, no environment.

pub mod approval;
pub mod audit;
pub mod denial;
pub mod digest;
pub mod event;
pub mod finding;
pub mod globs;
pub mod grant;
pub mod kind;
pub mod limits;
pub mod manifest;
pub mod name;
pub mod outcome;
pub mod problem;
pub mod reference;
pub mod secret;
pub mod span;
pub mod suggest;
pub mod yaml;

pub use approval::{ApprovalRequest, Decision};
pub use audit::{Audit, Repeated, Ruling, Told, Verdict};
pub use denial::Denial;
pub use digest::Digest;
pub use event::{Event, EventKind, StepId};
pub use finding::{Finding, Severity};
pub use globs::Globs;
pub use grant::Grants;
pub use kind::Kind;
pub use limits::Limits;
pub use manifest::Manifest;
pub use outcome::{Failure, FailureKind, Outcome, Place};
pub use problem::Problem;
pub use reference::PluginRef;
pub use secret::SecretSource;
pub use span::{Source, Span};
