//! `sluice approve`

use std::path::Path;

use indexmap::IndexMap;
use sluice_model::{ApprovalRequest, Decision, Event, EventKind, Problem, suggest};
use sluice_record::{RecordError, Recorder, Run, State};
use sluice_report::approval;

use super::resume::{self, events};
use crate::args::{ApproveArgs, ResumeArgs};
use crate::output::Output;
use crate::screen::now;
use crate::{exit, user};

pub fn run(args: &ApproveArgs, from: &Path, output: &Output) -> u8 {
    let workspace = super::runs::workspace(from);
    let run = match approve(args, &workspace, output) {
        Ok(run) => run,
        Err(problems) => {
            output.problems(&problems);
            return exit::REFUSED;
        }
    };
    if args.no_run {
        output.message(&format!("go on with it: sluice resume {}\n", run.id()));
        return exit::PASSED;
    }
    let args = ResumeArgs {
        run: run.id().as_str().to_owned(),
        from: None,
        repeat: Vec::new(),
        json: args.json,
        plain: args.plain,
    };
    resume::resume(&args, from, output)
}

/// Records what was said. Nothing is recorded if anything is wrong.
fn approve(args: &ApproveArgs, workspace: &Path, output: &Output) -> Result<Run, Vec<Problem>> {
    let run = find(workspace, args.run.as_deref())?;
    let asked = Asked::read(&run)?;
    let requests = asked.wanted(&args.job, &run)?;
    if run.info().map_err(told)?.state == State::Running {
        return Err(vec![still_running(&run)]);
    }
    let user = user::name();
    let mut problems: Vec<Problem> = requests.iter().filter_map(|request| may_answer(request, &user)).collect();
    problems.extend(requests.iter().filter_map(|request| too_late(request, now(), &run)));
    problems.extend(unknown_gates(&requests, args));
    problems.extend(requests.iter().filter_map(|request| not_attested(request, args, &run)));
    if !problems.is_empty() {
        return Err(problems);
    }
    if !args.no_run {
        // Whatever keeps the run from going on is told before anything is recorded.
        resume::can_go_on(&run, workspace, output)?;
    }
    let mut recorder = Recorder::reopen(&run).map_err(|error| asked.overtaken(&run, &error))?;
    if recorder.next_seq() != asked.read {
        let error = RecordError::StillRunning { id: run.id().clone() };
        return Err(asked.overtaken(&run, &error));
    }
    let (at, mut given) = (now(), String::new());
    for request in &requests {
        let decision = Decision {
            job: request.job.clone(),
            approved: !args.deny,
            by: Some(user.clone()),
            actor: user::actor(),
            decided_at: at,
            comment: args.comment.clone().filter(|comment| !comment.trim().is_empty()),
            attested: attested(request, args),
        };
        given.push_str(&approval::given(&decision, output.look()));
        recorder.append(&Event { seq: recorder.next_seq(), at, kind: EventKind::ApprovalGiven(decision) });
    }
    recorder.finish().map_err(told)?;
    if args.no_run {
        output.result(&given);
    }
    Ok(run)
}

fn told(error: RecordError) -> Vec<Problem> {
    vec![Problem::from(&error)]
}

/// The run of this id, or the only one that waits.
fn find(workspace: &Path, wanted: Option<&str>) -> Result<Run, Vec<Problem>> {
    if let Some(wanted) = wanted {
        return resume::find(workspace, wanted);
    }
    let (runs, _) = sluice_record::list(&workspace.join(".sluice")).map_err(told)?;
    let waits = |state| matches!(state, State::WaitsForApproval | State::Interrupted);
    let waiting: Vec<_> = runs.into_iter().filter(|run| !run.waits_for.is_empty() && waits(run.state)).collect();
    match waiting.as_slice() {
        [] => resume::find(workspace, "latest"),
        [only] => resume::find(workspace, only.id.as_str()),
        several => {
            let listed = several.iter().map(|run| format!("`{}` ({})", run.id, run.workflow));
            let listed = listed.collect::<Vec<_>>().join(", ");
            let problem = Problem::new("run::ambiguous-run", format!("{} runs wait for an approval", several.len()));
            Err(vec![problem.help(format!("name the one that you mean: {listed}"))])
        }
    }
}

/// What stands on record of questions and answers.
struct Asked {
    open: IndexMap<String, ApprovalRequest>,
    decided: IndexMap<String, Decision>,
    /// How many events there are.
    read: u64,
}

impl Asked {
    fn read(run: &Run) -> Result<Self, Vec<Problem>> {
        let (events, read) = events(run)?;
        let mut asked = Self { open: IndexMap::new(), decided: IndexMap::new(), read };
        for event in events {
            match event.kind {
                EventKind::RunStarted { .. } | EventKind::RunResumed { .. } | EventKind::RunFinished { .. } => {
                    asked.open.clear();
                }
                EventKind::ApprovalRequested(request) => {
                    asked.decided.shift_remove(&request.job);
                    asked.open.insert(request.job.clone(), request);
                }
                EventKind::ApprovalGiven(decision) => {
                    asked.open.shift_remove(&decision.job);
                    asked.decided.insert(decision.job.clone(), decision);
                }
                _ => {}
            }
        }
        Ok(asked)
    }

    /// The questions about these jobs; about the only one that waits if none is named.
    fn wanted(&self, jobs: &[String], run: &Run) -> Result<Vec<ApprovalRequest>, Vec<Problem>> {
        let waiting = || self.open.keys().map(String::as_str);
        let id = run.id();
        if self.open.is_empty() {
            let mut problem = Problem::new("run::waits-for-nothing", format!("run `{id}` waits for no approval"));
            problem.causes = self.decided.values().map(said).collect();
            return Err(vec![problem.help("`sluice runs list` shows the runs that wait")]);
        }
        if jobs.is_empty() && self.open.len() > 1 {
            let each: String = waiting().map(|job| format!(" --job {job}")).collect();
            let problem = Problem::new("run::ambiguous-job", format!("{} jobs of run `{id}` wait", self.open.len()));
            return Err(vec![problem.help(format!("name those that you mean: `sluice approve {id}{each}`"))]);
        }
        if jobs.is_empty() {
            return Ok(self.open.values().cloned().collect());
        }
        let found = jobs.iter().map(|job| match (self.open.get(job), self.decided.get(job)) {
            (Some(request), _) => Ok(request.clone()),
            (None, Some(decision)) => Err(decided(decision, run)),
            (None, None) => Err(Problem::new("run::waits-for-nothing", format!("job `{job}` waits for no approval"))
                .help(match suggest::closest(job, waiting()) {
                    Some(close) => format!("a job with a similar name waits: `{close}`"),
                    None => format!("these wait: {}", suggest::list(waiting())),
                })),
        });
        let (found, problems): (Vec<_>, Vec<_>) = found.partition(Result::is_ok);
        let problems: Vec<Problem> = problems.into_iter().filter_map(Result::err).collect();
        if problems.is_empty() { Ok(found.into_iter().flatten().collect()) } else { Err(problems) }
    }

    /// Somebody else was there between the look at the record and the answer.
    fn overtaken(&self, run: &Run, error: &RecordError) -> Vec<Problem> {
        let now = Self::read(run).map(|now| now.decided).unwrap_or_default();
        let others = self.open.keys().filter_map(|job| now.get(job));
        let told: Vec<Problem> = others.map(|decision| decided(decision, run)).collect();
        match error {
            _ if !told.is_empty() => told,
            RecordError::StillRunning { .. } => vec![still_running(run)],
            error => vec![Problem::from(error)],
        }
    }
}

fn said(decision: &Decision) -> String {
    format!("job `{}` was {}", decision.job, decision.words())
}

fn decided(decision: &Decision, run: &Run) -> Problem {
    Problem::new("run::decided", said(decision))
        .help(format!("what was said stands; `sluice resume {}` goes on with the run if nobody does", run.id()))
}

fn still_running(run: &Run) -> Problem {
    let problem = Problem::from(&RecordError::StillRunning { id: run.id().clone() });
    problem.help("answer at its terminal, or wait until nothing is left but what waits for an approval")
}

fn may_answer(request: &ApprovalRequest, user: &str) -> Option<Problem> {
    if request.may_be_answered_by(user) {
        return None;
    }
    let message = format!("`{user}` may not answer for job `{}`", request.job);
    Some(Problem::new("run::may-not-approve", message).help(format!("who may: {}", request.who())))
}

fn too_late(request: &ApprovalRequest, now: u64, run: &Run) -> Option<Problem> {
    request.until.filter(|until| *until <= now)?;
    let problem = Problem::new("run::too-late", format!("the time to answer for job `{}` is over", request.job));
    Some(problem.help(format!("silence means no: `sluice resume {}` goes on with the run", run.id())))
}

fn attested(request: &ApprovalRequest, args: &ApproveArgs) -> Vec<String> {
    let gates = request.to_attest().map(|(gate, _)| gate);
    gates.filter(|gate| args.attest_all || args.attest.iter().any(|name| name == gate)).map(str::to_owned).collect()
}

fn unknown_gates(requests: &[ApprovalRequest], args: &ApproveArgs) -> Vec<Problem> {
    let known: Vec<&str> = requests.iter().flat_map(|request| request.to_attest().map(|(gate, _)| gate)).collect();
    let unknown = args.attest.iter().filter(|name| !known.contains(&name.as_str()));
    unknown
        .map(|name| {
            let problem = Problem::new("run::not-attested", format!("there is no gate `{name}` to attest"));
            problem.help(match suggest::closest(name, known.iter().copied()) {
                Some(close) => format!("a gate with a similar name asks for it: `{close}`"),
                None if known.is_empty() => "no gate asks for it".to_owned(),
                None => format!("gates that ask for it: {}", suggest::list(known.iter().copied())),
            })
        })
        .collect()
}

fn not_attested(request: &ApprovalRequest, args: &ApproveArgs, run: &Run) -> Option<Problem> {
    let given = attested(request, args);
    let missing: Vec<_> = request.to_attest().filter(|(gate, _)| !given.iter().any(|name| name == gate)).collect();
    if missing.is_empty() || args.deny {
        return None;
    }
    let count =
        if missing.len() == 1 { "a gate that was".to_owned() } else { format!("{} gates that were", missing.len()) };
    let problem = Problem::new("run::not-attested", format!("job `{}` has {count} not attested", request.job));
    let options: String = missing.iter().map(|(gate, _)| format!(" --attest '{gate}'")).collect();
    let problem =
        missing.iter().fold(problem, |problem, (gate, question)| problem.cause(format!("{gate}: {question}")));
    Some(problem.help(format!("if it is so: `sluice approve {}{options}`", run.id())))
}
