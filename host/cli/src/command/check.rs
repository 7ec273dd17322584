//! `sluice check`

use std::path::Path;

use serde_json::Value;
use sluice_model::Problem;

use crate::args::CheckArgs;
use crate::discover::{self, Found};
use crate::output::Output;
use crate::{exit, prepare};

pub fn run(args: &CheckArgs, from: &Path, output: &Output) -> u8 {
    let (workflows, mut problems) = wanted(&args.workflows, from);
    for found in &workflows {
        match prepare::check(found) {
            Ok(()) if !args.json => output.result(&format!("{}: good\n", found.display_name())),
            Ok(()) => {}
            Err(found) => problems.extend(found),
        }
    }
    if args.json {
        let all: Vec<Value> = problems.iter().map(sluice_report::problems::to_json).collect();
        output.result(&format!("{:#}\n", Value::Array(all)));
    } else if !problems.is_empty() {
        output.problems(&problems);
    }
    if problems.is_empty() { exit::PASSED } else { exit::REFUSED }
}

fn wanted(names: &[String], from: &Path) -> (Vec<Found>, Vec<Problem>) {
    if names.is_empty() {
        return match discover::nearest(from) {
            Ok(all) => (all, Vec::new()),
            Err(problem) => (Vec::new(), vec![problem]),
        };
    }
    let (mut workflows, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        match discover::find(from, Some(name)) {
            Ok(found) => workflows.push(found),
            Err(problem) => problems.push(problem),
        }
    }
    (workflows, problems)
}
