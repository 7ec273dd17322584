//! `retention` of a workflow, after each of its runs.

use std::path::Path;

use sluice_model::Problem;
use sluice_record::Retention;
use sluice_workflow::Workflow;

use crate::screen::now;

/// Removes the records of the workflow that are not to be kept. Gives what went wrong; that changes no verdict.
pub fn apply(workspace: &Path, workflow: &Workflow) -> Vec<Problem> {
    let wanted = workflow.retention;
    if wanted.runs.is_none() && wanted.days.is_none() {
        return Vec::new();
    }
    let retention = Retention { runs: wanted.runs, days: wanted.days, workflow: Some(workflow.name.clone()) };
    let errors = match sluice_record::prune(&workspace.join(".sluice"), &retention, now(), false) {
        Ok(pruned) => pruned.errors,
        Err(error) => vec![error],
    };
    errors.iter().map(|error| Problem::from(error).help("old records stay; the verdict of the run stands")).collect()
}
