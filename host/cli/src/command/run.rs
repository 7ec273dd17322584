//! `sluice run`

use std::num::NonZeroUsize;
use std::path::Path;

use sluice_model::Problem;
use sluice_plan::Plan;
use sluice_record::RunId;
use sluice_run::Reuse;

use crate::args::RunArgs;
use crate::execute::Execution;
use crate::origin::Settings;
use crate::output::Output;
use crate::screen::{Mode, now};
use crate::{discover, exit, machine, prepare};

pub fn run(args: &RunArgs, from: &Path, output: &Output) -> u8 {
    let id = match run_id() {
        Ok(id) => id,
        Err(problem) => return internal(problem, output),
    };
    let prepared =
        discover::find(from, args.workflow.workflow.as_deref()).map_err(|problem| vec![problem]).and_then(|found| {
            let prepared = prepare::prepare(&found, &args.workflow, id.as_str())?;
            machine::check(&prepared.plan, &found.workspace)?;
            Ok((found, prepared))
        });
    match prepared {
        Ok((found, prepared)) => {
            prepared.note.iter().for_each(|note| output.message(note));
            let execution = Execution {
                workspace: &found.workspace,
                id,
                settings: settings(args, &prepared.plan),
                prepared,
                mode: mode(args.json, args.plain, output),
                reuse: Reuse::default(),
                record: None,
            };
            execution.run(output).unwrap_or_else(|problem| internal(problem, output))
        }
        Err(problems) => {
            output.problems(&problems);
            exit::REFUSED
        }
    }
}

pub fn internal(problem: Problem, output: &Output) -> u8 {
    output.problems(&[problem]);
    exit::INTERNAL
}

pub fn run_id() -> Result<RunId, Problem> {
    let mut random = [0];
    getrandom::fill(&mut random)
        .map_err(|error| Problem::new("host::internal", "the system gives no random bytes").cause(error.to_string()))?;
    Ok(RunId::new(now(), random[0]))
}

fn settings(args: &RunArgs, plan: &Plan) -> Settings {
    Settings {
        dry_run: args.dry_run,
        fail_fast: args.fail_fast || (plan.fail_fast && !args.keep_going),
        max_parallel: args.jobs.and_then(|jobs| NonZeroUsize::new(jobs.into())).or(plan.max_parallel),
    }
}

/// How a run is shown.
pub fn mode(json: bool, plain: bool, output: &Output) -> Mode {
    match (json, plain || !output.interactive) {
        (true, _) => Mode::Json,
        (false, true) => Mode::Plain,
        (false, false) => Mode::Live,
    }
}
