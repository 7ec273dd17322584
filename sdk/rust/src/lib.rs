//! Write Sluice plugins in Rust.
//!
//! A plugin is a type that implements the trait of one or more kinds, and a manifest:
//!
//! ```ignore
//! use sluice_sdk::{Failure, Finding, Lint, Sink, Step};
//!
//! struct Plugin;
//!
//! impl Lint for Plugin {
//!     fn lint(step: &Step, sink: &Sink) -> Result<(), Failure> {
//!         for path in step.files(&["**/*.sh"])? {
//!             if std::fs::read(&path)?.contains(&b'\r') {
//!                 sink.findings(vec![Finding::error("shell/line-endings", format!("`{path}` has CR LF line endings"))]);
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! sluice_sdk::plugin!(Plugin: Lint, "plugin.yaml");
//! ```
//!
//! Everything here compiles on the native target too, so that the rules of a plugin are ordinary Rust with ordinary
//! unit tests; only calls that reach the host ([`Step`], [`Sink`], [`exec`], [`http`], [`artifacts`], [`secrets`])
//! need the host, and panic without it. `sluice-sdk-testing` runs the built component in the real one.

pub mod artifacts;
#[doc(hidden)]
pub mod bindings;
pub mod duration;
pub mod exec;
mod failure;
pub mod files;
mod finding;
pub mod http;
mod kind;
pub mod secrets;
mod sink;
mod step;

pub use bindings::deploy::exports::sluice::plugin::deploy::{Action, Change, Deployment};
pub use bindings::imports::sluice::plugin::types::{Edit, Finding, Fix, Level, Severity, Span};
pub use failure::Failure;
pub use kind::{Build, Deploy, Lint, Notify, Scan, Task};
pub use sink::Sink;
pub use sluice_sdk_macros::plugin;
pub use step::Step;
