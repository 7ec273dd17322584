//! Runs a built plugin in the real engine from `cargo test`.
//!
//! ```ignore
//! #[test]
//! fn a_script_without_a_shebang_is_found() {
//!     let workspace = tempfile::tempdir().unwrap();
//!     std::fs::write(workspace.path().join("a.sh"), "echo\n").unwrap();
//!
//!     let outcome = Plugin::build(env!("CARGO_MANIFEST_DIR")).workspace(workspace.path()).run();
//!
//!     outcome.expect_passed();
//!     assert_eq!(outcome.findings[0].rule, "shell/shebang");
//! }
//! ```
//!
//! The call goes the way of every step: it becomes a workflow of one step, which is checked, planned and run. So the
//! manifest's schema, defaults and capabilities are tested too. The step gets what the manifest declares;
//! [`Call::grant`] and [`Call::deny`] narrow that, as `grants:` of a workflow does.

mod call;
mod component;
mod outcome;

pub use call::Call;
pub use component::Plugin;
pub use outcome::{Artifact, End, Log, Outcome};
pub use sluice_model::event::{Change, ChangeAction, Level, Stream};
pub use sluice_model::{Failure, FailureKind, Finding, Problem, Severity};
