//! Text -> [`Workflow`]. Pure: no file, clock or environment.
//!
//! [`parse`] reads YAML into nodes with places, [`document`] reads nodes into a workflow, [`check`] looks at what needs
//! the whole document: `needs`, names in expressions, types. All of them go on after a problem.

pub mod approval;
pub mod background;
mod check;
mod codes;
pub mod concurrency;
mod document;
mod fields;
mod inputs;
pub mod matrix;
mod quantity;
pub mod requires;
mod schema;
pub mod template;
pub mod version;
pub mod workflow;

use sluice_model::{Problem, Source, yaml};

pub use codes::CODES;
pub use inputs::bind_inputs;
pub use schema::schema;
pub use template::Template;
pub use workflow::Workflow;

/// More problems than this are not told; nobody reads them.
const MAX_PROBLEMS: usize = 100;

/// Reads and checks a workflow.
///
/// Returns what could be read, which is for looking at only unless there are no problems, and all problems in source
/// order, each within `source`; at most the first 100.
pub fn parse(source: &Source) -> (Option<Workflow>, Vec<Problem>) {
    let node = match yaml::parse(source, &document::DIALECT) {
        Ok(node) => node,
        Err(problems) => return (None, problems),
    };
    let mut document = document::Document::new(source);
    let workflow = document.workflow(&node);
    let mut problems = document.check.problems;
    if let Some(workflow) = &workflow {
        check::workflow(workflow, &mut problems);
    }
    problems.sort_by_key(Problem::position);
    problems.dedup();
    problems.truncate(MAX_PROBLEMS);
    (workflow, problems.into_iter().map(|problem| problem.within(source)).collect())
}
