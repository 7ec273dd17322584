//! `sluice runs prune`

use std::path::Path;

use sluice_model::Problem;
use sluice_record::{RecordError, Retention};
use sluice_report::runs::{self, Removed};

use crate::args::PruneArgs;
use crate::exit;
use crate::output::Output;
use crate::screen::now;

pub fn run(args: &PruneArgs, from: &Path, output: &Output) -> u8 {
    let retention = Retention { runs: args.runs, days: args.days, workflow: args.workflow.clone() };
    let root = super::runs::workspace(from).join(".sluice");
    let pruned = match sluice_record::prune(&root, &retention, now(), args.dry_run) {
        Ok(pruned) => pruned,
        Err(error) => return refuse(&[error], output),
    };
    let removed: Vec<Removed> = pruned
        .runs
        .iter()
        .map(|(info, bytes)| Removed {
            id: info.id.as_str().to_owned(),
            workflow: info.workflow.clone(),
            started: info.started,
            bytes: *bytes,
        })
        .collect();
    let artifacts = (pruned.artifacts, pruned.artifact_bytes);
    output.result(&runs::removed(&removed, artifacts, args.dry_run, now(), output.look()));
    if pruned.errors.is_empty() { exit::PASSED } else { refuse(&pruned.errors, output) }
}

fn refuse(errors: &[RecordError], output: &Output) -> u8 {
    output.problems(&errors.iter().map(Problem::from).collect::<Vec<_>>());
    exit::REFUSED
}
