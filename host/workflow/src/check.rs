//! What needs the whole document: `needs`, names that expressions read, types as far as they are known.

mod calls;
mod functions;
mod graph;
mod names;
mod scope;
mod types;

use sluice_model::Problem;

use crate::workflow::Workflow;

pub fn workflow(workflow: &Workflow, problems: &mut Vec<Problem>) {
    graph::check(workflow, problems);
    names::check(workflow, problems);
}
