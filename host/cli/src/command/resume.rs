//! `sluice resume` and `sluice rerun`

use std::collections::BTreeSet;
use std::io::{self, BufRead, IsTerminal};
use std::path::Path;

use sluice_model::name::{is_of_job, step_of};
use sluice_model::{Event, EventKind, Kind, Outcome, Problem, StepId, suggest};
use sluice_plan::{Plan, Step};
use sluice_record::{RecordError, Recorder, Run, State};
use sluice_run::Reuse;

use super::run::{internal, mode, run_id};
use crate::args::{RerunArgs, ResumeArgs};
use crate::execute::Execution;
use crate::exit;
use crate::origin::Origin;
use crate::output::Output;

/// Outcomes with which a step need not run again.
const GOOD: [Outcome; 2] = [Outcome::Passed, Outcome::AllowedToFail];

pub fn resume(args: &ResumeArgs, from: &Path, output: &Output) -> u8 {
    let workspace = super::runs::workspace(from);
    let done = find(&workspace, &args.run).and_then(|run| prepare_resume(args, &run, &workspace, output));
    finish(done, output)
}

pub fn rerun(args: &RerunArgs, from: &Path, output: &Output) -> u8 {
    let workspace = super::runs::workspace(from);
    let done = find(&workspace, &args.run).and_then(|run| prepare_rerun(args, &run, &workspace, output));
    finish(done, output)
}

pub(super) fn finish(prepared: Result<Execution<'_>, Vec<Problem>>, output: &Output) -> u8 {
    match prepared {
        Ok(execution) => {
            execution.run(output, std::future::pending()).unwrap_or_else(|problem| internal(problem, output))
        }
        Err(problems) => {
            output.problems(&problems);
            exit::REFUSED
        }
    }
}

pub(super) fn find(workspace: &Path, wanted: &str) -> Result<Run, Vec<Problem>> {
    sluice_record::open(&workspace.join(".sluice"), wanted).map_err(|error| vec![Problem::from(&error)])
}

/// Whether a run could go on; all that keeps it from that, except that somebody else does.
pub(super) fn can_go_on(run: &Run, workspace: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let prepared = Origin::read(run).map_err(|problem| vec![problem])?.again(run, workspace)?;
    let (events, _) = events(run)?;
    let reuse = Reuse::of(run.id().as_str(), &events);
    allow_repetition(&reuse, &prepared.plan, &[], run, output).map_err(|problem| vec![problem])
}

/// The same run goes on: what has no end on record runs, with the plan that the run began with.
fn prepare_resume<'w>(
    args: &ResumeArgs,
    run: &Run,
    workspace: &'w Path,
    output: &Output,
) -> Result<Execution<'w>, Vec<Problem>> {
    let state = run.info().map_err(|error| vec![Problem::from(&error)])?.state;
    if state == State::Incomplete {
        return Err(vec![Problem::from(&RecordError::Incomplete { id: run.id().clone() })]);
    }
    let (events, read) = events(run)?;
    // Of the events that count below: somebody else may have brought it to its end since its state was read.
    let end = match events.last().map(|event| &event.kind) {
        Some(EventKind::RunFinished { outcome, .. }) => Some(*outcome),
        _ => None,
    };
    if args.from.is_none()
        && let Some(outcome @ (Outcome::Passed | Outcome::Failed)) = end
    {
        return Err(vec![ended(run, State::Finished(outcome))]);
    }
    let origin = Origin::read(run).map_err(|problem| vec![problem])?;
    let prepared = origin.again(run, workspace)?;
    let mut reuse = Reuse::of(run.id().as_str(), &events);
    if end.is_some() {
        // They looked at an end that is none any more.
        let hooks = prepared.plan.all_jobs().skip(prepared.plan.jobs.len()).map(|job| job.name.as_str());
        let inside = hooks_of_cancelled(&prepared.plan, &events);
        let hooks: BTreeSet<&str> = hooks.chain(inside).collect();
        reuse.forget(|id| hooks.contains(id.job.as_str()));
    }
    if let Some(from) = &args.from {
        forget_from(&mut reuse, &prepared.plan, &events, from).map_err(|problem| vec![problem])?;
    }
    allow_repetition(&reuse, &prepared.plan, &args.repeat, run, output).map_err(|problem| vec![problem])?;
    let recorder = Recorder::reopen(run).map_err(|error| vec![Problem::from(&error)])?;
    // Somebody else may have gone on with it since it was read.
    if recorder.next_seq() != read {
        return Err(vec![Problem::from(&RecordError::StillRunning { id: run.id().clone() })]);
    }
    Ok(Execution {
        settings: origin.settings(),
        mode: mode(args.json, args.plain, output),
        reuse: if read == 0 { Reuse::default() } else { reuse },
        record: Some(recorder),
        started_by: origin.started_by(),
        ..Execution::new(workspace, run.id().clone(), prepared)
    })
}

/// A new run of the same workflow with the same inputs.
fn prepare_rerun<'w>(
    args: &RerunArgs,
    run: &Run,
    workspace: &'w Path,
    output: &Output,
) -> Result<Execution<'w>, Vec<Problem>> {
    let origin = Origin::read(run).map_err(|problem| vec![problem])?;
    let id = run_id().map_err(|problem| vec![problem])?;
    let prepared = origin.anew(run, workspace, id.as_str())?;
    let mut reuse = Reuse::default();
    if args.failed {
        let (events, _) = events(run)?;
        reuse = Reuse::of(run.id().as_str(), &events);
        // What somebody said was said about that run.
        reuse.forget_approvals(|_| true);
        forget_failed(&mut reuse, &prepared.plan);
    }
    Ok(Execution {
        settings: origin.settings(),
        mode: mode(args.json, args.plain, output),
        reuse,
        ..Execution::new(workspace, id, prepared)
    })
}

/// Hooks of called workflows that did not come to their end.
fn hooks_of_cancelled<'p>(plan: &'p Plan, events: &[Event]) -> impl Iterator<Item = &'p str> {
    let mut ended: BTreeSet<String> = BTreeSet::new();
    for event in events {
        match &event.kind {
            EventKind::JobStarted { job, .. } => drop(ended.remove(job)),
            EventKind::JobFinished { job, outcome, .. } if *outcome != Outcome::Cancelled => {
                ended.insert(job.clone());
            }
            _ => {}
        }
    }
    let hooks = plan.jobs.values().filter(|job| job.hook.is_some());
    let cut = move |job: &&sluice_plan::Job| plan.call_around(job).is_some_and(|(call, _)| !ended.contains(&call.name));
    hooks.filter(cut).map(|job| job.name.as_str())
}

fn ended(run: &Run, state: State) -> Problem {
    let (id, outcome) = (run.id(), if state == State::Finished(Outcome::Passed) { "passed" } else { "failed" });
    let problem = Problem::new("run::has-ended", format!("run `{id}` has {outcome}; there is nothing to resume"));
    problem.help(format!(
        "`sluice rerun --failed {id}` runs again what failed, in a new run; `sluice resume {id} --from JOB/STEP` goes back \
         to a step"
    ))
}

/// The events that tell how steps stand, and how many events there are; logs may be long, and say nothing of that.
///
/// What was edited could make steps go on with what never was, or without the answer that they wait for.
pub(super) fn events(run: &Run) -> Result<(Vec<Event>, u64), Vec<Problem>> {
    if let Err(error @ RecordError::Edited { .. }) = run.verify() {
        return Err(vec![Problem::from(&error)]);
    }
    let (mut events, mut read) = (Vec::new(), 0);
    for event in run.events().map_err(|error| vec![Problem::from(&error)])? {
        let event = event.map_err(|error| vec![Problem::from(&error)])?;
        read += 1;
        if !matches!(event.kind, EventKind::Log { .. } | EventKind::Progress { .. } | EventKind::Findings { .. }) {
            events.push(event);
        }
    }
    Ok((events, read))
}

/// Forgets a step, those after it in its job, and everything in jobs that need this one and in hooks.
fn forget_from(reuse: &mut Reuse, plan: &Plan, events: &[Event], from: &str) -> Result<(), Problem> {
    let job_of = |id: &StepId| plan.all_jobs().position(|job| is_of_job(&job.name, &id.job));
    let known: BTreeSet<String> = steps(plan).map(|(job, step)| format!("{job}/{step}")).collect();
    let (wanted_job, wanted_step) = from.rsplit_once('/').unwrap_or((from, ""));
    let position = plan.all_jobs().position(|job| job.name == wanted_job || is_of_job(&job.name, wanted_job));
    let step_at = |job: usize, step: &str| {
        plan.job(job).and_then(|job| job.steps(0).iter().position(|own| own.id == step_of(step)))
    };
    // A call is named without a step.
    let (position, wanted_step) = match plan.jobs.get_index_of(from) {
        Some(job) => (Some(job), ""),
        None => (position, wanted_step),
    };
    let at = position.and_then(|job| Some((job, if wanted_step.is_empty() { 0 } else { step_at(job, wanted_step)? })));
    let Some((job, step)) = at else {
        let problem = Problem::new("run::no-such-step", format!("the run has no step `{from}`"));
        return Err(problem.help(match suggest::closest(from, known.iter().map(String::as_str)) {
            Some(close) => format!("a step with a similar name exists: `{close}`"),
            None => format!("steps: {}", suggest::list(known.iter().map(String::as_str))),
        }));
    };
    let mut after = dependents(plan, [job].into());
    let at = job;
    let around = |job: &sluice_plan::Job| {
        std::iter::successors(job.inside, |call| plan.job(*call)?.inside).any(|call| call == at)
    };
    after.extend(plan.jobs.values().enumerate().filter(|(_, other)| around(other)).map(|(inside, _)| inside));
    let exact =
        events.iter().any(|event| matches!(&event.kind, EventKind::JobStarted { job, .. } if job == wanted_job));
    let at = |name: &str| plan.jobs.get_index_of(name);
    reuse.forget_approvals(|name| at(name).is_none_or(|own| after.contains(&own) || (own == job && step == 0)));
    reuse.forget(|id| match job_of(id) {
        Some(own) if own == job => {
            let same_cell = !exact || id.job == wanted_job;
            same_cell && step_at(job, &id.step).is_none_or(|own| own >= step)
        }
        Some(own) => after.contains(&own),
        None => true,
    });
    Ok(())
}

/// Keeps what ended well in jobs in which everything ended well and that need no other.
fn forget_failed(reuse: &mut Reuse, plan: &Plan) {
    let job_of = |id: &StepId| plan.all_jobs().position(|job| is_of_job(&job.name, &id.job));
    let good: BTreeSet<StepId> = reuse.ended(&GOOD).cloned().collect();
    let skipped: BTreeSet<StepId> = reuse.ended(&[Outcome::Skipped]).cloned().collect();
    let mut bad_cells: BTreeSet<String> = BTreeSet::new();
    let mut bad_jobs: BTreeSet<usize> = BTreeSet::new();
    for id in reuse.ids().filter(|id| !good.contains(id) && !skipped.contains(id)) {
        bad_cells.insert(id.job.clone());
        bad_jobs.extend(job_of(id));
    }
    let after = dependents(plan, bad_jobs);
    reuse.forget(|id| {
        bad_cells.contains(&id.job) || skipped.contains(id) || job_of(id).is_none_or(|job| after.contains(&job))
    });
}

/// Jobs that need one of these, directly or not, and hooks; not these themselves.
fn dependents(plan: &Plan, jobs: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut reached = jobs;
    let mut after: BTreeSet<usize> = (plan.jobs.len()..plan.jobs.len() + plan.hooks.len()).collect();
    let edges: Vec<Vec<usize>> = (0..plan.jobs.len()).map(|job| plan.comes_after(job)).collect();
    loop {
        let comes_after = |job: &usize| edges[*job].iter().any(|before| reached.contains(before));
        let next: Vec<usize> = (0..plan.jobs.len()).filter(comes_after).collect();
        let before = reached.len() + after.len();
        reached.extend(next.iter().copied());
        after.extend(next);
        if reached.len() + after.len() == before {
            return after;
        }
    }
}

fn steps(plan: &Plan) -> impl Iterator<Item = (&str, &str)> {
    let cells = plan.all_jobs().flat_map(|job| &job.cells);
    cells.flat_map(|cell| cell.steps.iter().map(|step| (cell.name.as_str(), step.id.as_str())))
}

/// A deploy or notify step that was started and has no end on record may have been done: it is not done again unless
/// somebody says so.
fn allow_repetition(reuse: &Reuse, plan: &Plan, allowed: &[String], run: &Run, output: &Output) -> Result<(), Problem> {
    let mut doubtful: Vec<String> = reuse
        .unknown()
        .filter(|id| step(plan, id).is_none_or(|step| matches!(step.kind, Kind::Deploy | Kind::Notify)))
        .map(ToString::to_string)
        .filter(|id| !allowed.contains(id))
        .collect();
    doubtful.sort();
    if doubtful.is_empty() || ask(&doubtful, output) {
        return Ok(());
    }
    let shown = doubtful.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
    let options = doubtful.iter().map(|id| format!(" --repeat '{id}'")).collect::<String>();
    let whose = if doubtful.len() == 1 { format!("of step {shown}") } else { format!("of the steps {shown}") };
    Err(Problem::new("run::outcome-unknown", format!("the outcome {whose} is unknown"))
        .cause("the run ended after it was started and before its end was recorded; it may have done its work")
        .help(format!("look whether it was done; to do it again: `sluice resume {}{options}`", run.id())))
}

/// Asks at a terminal whether these steps are to be repeated. No where there is none.
fn ask(steps: &[String], output: &Output) -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return false;
    }
    output.message(&format!("started, and nobody knows how it ended: {}\nrepeat? [y/N] ", steps.join(", ")));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// The step of the plan that an id of the record stands for.
fn step<'p>(plan: &'p Plan, id: &StepId) -> Option<&'p Step> {
    let job = plan.all_jobs().find(|job| job.name == id.job || job.cells.iter().any(|cell| cell.name == id.job));
    let job = job.or_else(|| plan.all_jobs().find(|job| is_of_job(&job.name, &id.job)));
    job?.steps(0).iter().find(|step| step.id == step_of(&id.step))
}
