//! Text -> [`Workflow`]. Pure: no file, clock or environment.
//!
//! [`load`] reads YAML into nodes with places, [`document`] reads nodes into a workflow, [`check`] looks at what needs
//! the whole document: `needs`, names in expressions, types. All of them go on after a problem. What jobs call is read the
//! same way, before the checks.

pub mod amend;
pub mod approval;
pub mod background;
mod check;
mod codes;
pub mod concurrency;
mod document;
mod fields;
mod inputs;
mod load;
pub mod matrix;
mod quantity;
pub mod requires;
mod schema;
pub mod template;
pub mod version;
pub mod workflow;

use sluice_model::{Problem, Source};

pub use codes::CODES;
pub use inputs::{bind_call, bind_inputs};
pub use load::load;
pub use schema::schema;
pub use template::Template;
pub use workflow::Workflow;

/// More problems than this are not told; nobody reads them.
const MAX_PROBLEMS: usize = 100;

/// Reads and checks a workflow that calls no other.
///
/// Returns what could be read, which is for looking at only unless there are no problems, and all problems in source
/// order, each within `source`; at most the first 100.
pub fn parse(source: &Source) -> (Option<Workflow>, Vec<Problem>) {
    load(source, &mut |file| Err(Problem::new(codes::CALL, format!("there is no file `{file}`"))))
}
