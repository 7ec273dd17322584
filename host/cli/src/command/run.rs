//! `sluice run`

use std::num::NonZeroUsize;
use std::path::Path;

use sluice_model::Problem;
use sluice_plan::{Plan, Selection};
use sluice_record::RunId;

use crate::args::{ReceiptArgs, RunArgs, SelectArgs};
use crate::binding::BoundPlan;
use crate::execute::Execution;
use crate::origin::Settings;
use crate::output::Output;
use crate::receipt::{Request, SigningKey};
use crate::screen::{Mode, now};
use crate::{discover, exit, prepare};

pub fn run(args: &RunArgs, from: &Path, output: &Output) -> u8 {
    let receipt = match args.receipt.request(from) {
        Ok(receipt) => receipt,
        Err(problem) => {
            output.problems(&[problem]);
            return exit::REFUSED;
        }
    };
    let id = match run_id() {
        Ok(id) => id,
        Err(problem) => return internal(problem, output),
    };
    let prepared = match &args.plan {
        Some(file) => BoundPlan::read(&from.join(file), file).and_then(|bound| bound.again(from, id)),
        None => {
            discover::find(from, args.workflow.workflow.as_deref()).map_err(|problem| vec![problem]).and_then(|found| {
                let prepared = prepare::prepare(&found, &args.workflow, &args.select.selection(), id.as_str())?;
                Ok((found, prepared, id))
            })
        }
    };
    match prepared {
        Ok((found, prepared, id)) => {
            prepared.note.iter().for_each(|note| output.message(note));
            let execution = Execution {
                settings: settings(args, &prepared.plan),
                mode: if args.trace_caps { Mode::Decisions } else { mode(args.json, args.plain, output) },
                once: args.plan.is_some(),
                receipt,
                ..Execution::new(&found.workspace, id, prepared)
            };
            execution.run(output, std::future::pending()).unwrap_or_else(|problem| internal(problem, output))
        }
        Err(problems) => {
            output.refused(&problems, args.json);
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

impl ReceiptArgs {
    /// Reads the key.
    fn request(&self, from: &Path) -> Result<Option<Request>, Problem> {
        let (Some(file), Some(key)) = (&self.receipt, &self.sign_key) else { return Ok(None) };
        let key = SigningKey::read(&from.join(key), key)?;
        Ok(Some(Request { key, file: from.join(file), shown: file.clone() }))
    }
}

impl SelectArgs {
    pub fn selection(&self) -> Selection {
        Selection { jobs: self.only.clone(), step: self.step.clone() }
    }
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
