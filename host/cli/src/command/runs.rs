//! `sluice runs`

use std::path::{Path, PathBuf};

use sluice_model::Problem;
use sluice_record::{RecordError, State};
use sluice_report::runs::{self, Row, RowState, Show};

use crate::args::{JsonArgs, LogsArgs, RunsCommand, ShowRunArgs};
use crate::command::audit;
use crate::output::Output;
use crate::screen::{now, options};
use crate::{discover, exit};

pub fn run(command: &RunsCommand, from: &Path, output: &Output) -> u8 {
    let done = match command {
        RunsCommand::List(args) => list(args, from, output),
        RunsCommand::Show(args) => show(args, from, output),
        RunsCommand::Logs(args) => logs(args, from, output),
        RunsCommand::Prune(args) => return super::prune::run(args, from, output),
        RunsCommand::Audit(args) => audit::run(args, from, output),
        RunsCommand::Sign(args) => return super::sign::run(args, from, output),
        RunsCommand::Verify(args) => return super::verify::run(args, from, output),
    };
    match done {
        Ok(()) => exit::PASSED,
        Err(problem) => {
            output.problems(&[problem]);
            exit::REFUSED
        }
    }
}

/// The nearest folder that has records: a workspace, whose `.sluice` is meant.
pub fn workspace(from: &Path) -> PathBuf {
    let recorded = from.ancestors().find(|folder| folder.join(".sluice/runs").is_dir());
    match recorded {
        Some(folder) => folder.to_owned(),
        None => discover::nearest(from)
            .ok()
            .and_then(|all| all.into_iter().next())
            .map_or_else(|| from.to_owned(), |found| found.workspace),
    }
}

fn list(args: &JsonArgs, from: &Path, output: &Output) -> Result<(), Problem> {
    let (runs, unreadable) = match sluice_record::list(&workspace(from).join(".sluice")) {
        Err(RecordError::NoRuns { .. }) => (Vec::new(), Vec::new()),
        result => result.map_err(|error| Problem::from(&error))?,
    };
    for error in &unreadable {
        output.problems(&[Problem::from(error)]);
    }
    if args.json {
        let json = serde_json::to_value(&runs).map_err(|error| Problem::new("host::internal", error.to_string()))?;
        output.result(&format!("{json:#}\n"));
        return Ok(());
    }
    let rows: Vec<Row> = runs
        .into_iter()
        .map(|info| Row {
            id: info.id.as_str().to_owned(),
            workflow: info.workflow,
            state: row_state(info.state),
            started: info.started,
            duration_ms: info.duration_ms,
            steps_passed: info.steps.passed,
            steps_planned: info.steps.planned,
            findings: info.findings,
        })
        .collect();
    output.result(&runs::list(&rows, now(), output.look()));
    Ok(())
}

fn row_state(state: State) -> RowState {
    match state {
        State::Finished(outcome) => RowState::Finished(outcome),
        State::Running => RowState::Running,
        State::Interrupted => RowState::Interrupted,
        State::Incomplete => RowState::Incomplete,
        State::WaitsForApproval => RowState::WaitsForApproval,
    }
}

fn show(args: &ShowRunArgs, from: &Path, output: &Output) -> Result<(), Problem> {
    let workspace = workspace(from);
    let run = sluice_record::open(&workspace.join(".sluice"), &args.run).map_err(|error| Problem::from(&error))?;
    let record = format!(".sluice/runs/{}", run.id().as_str());
    let mut show = Show::new(options(output.look(), Some(record), &workspace), output.width());
    let mut lines = Vec::new();
    for event in run.events().map_err(|error| Problem::from(&error))? {
        let event = event.map_err(|error| Problem::from(&error))?;
        if args.json {
            // Writing to memory does not fail.
            let _ = sluice_report::json::write(&event, &mut lines);
        } else {
            show.on_event(&event);
        }
    }
    if args.json {
        output.result(&String::from_utf8_lossy(&lines));
    } else {
        let state = run.info().map_or(RowState::Interrupted, |info| row_state(info.state));
        output.result(&show.finish(state));
    }
    Ok(())
}

fn logs(args: &LogsArgs, from: &Path, output: &Output) -> Result<(), Problem> {
    let run =
        sluice_record::open(&workspace(from).join(".sluice"), &args.run).map_err(|error| Problem::from(&error))?;
    for entry in run.logs(args.step.as_deref()).map_err(|error| Problem::from(&error))? {
        let entry = entry.map_err(|error| Problem::from(&error))?;
        let named = args.step.as_ref().is_none_or(|step| !step.contains('/'));
        output.result(&runs::log(&entry.id, entry.level, &entry.text, named, output.look()));
    }
    Ok(())
}
