//! Begin and end of steps.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::event::FindingCounts;
use sluice_model::{Event, EventKind, Failure, FailureKind, Kind, Outcome, Place, StepId, Told};
use sluice_plan::{Decided, Job, Step};
use sluice_workflow::workflow::{Flag, Hook};
use sluice_workflow::{Template, matrix};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::background::Waiting;
use super::retrying::Attempt;
use super::summary::StepState;
use super::timers::Timer;
use super::verdict::{self, Verdict};
use super::{Dispatcher, GRACE_AFTER_CANCEL, GRACE_AFTER_LIMIT, Task, planned};
use crate::reuse::Done;
use crate::runner::{Action, Cancel, Said, StepCall, StepEvents, StepReport, StepRunner};
use crate::scheduler::{CellIndex, Input, JobIndex, Reason, StepIndex};

/// A step that has been handed to the runner.
#[derive(Debug)]
pub struct Running {
    pub id: StepId,
    pub started: u64,
    attempt: u32,
    findings: FindingCounts,
    pub cancel: Cancel,
    /// What it runs with; another attempt and a rollback need it again.
    pub decided: Decided,
    pub task: AbortHandle,
    /// When the dispatcher gives it up.
    pub deadline: Instant,
    /// If it runs in the background.
    pub background: Option<Waiting>,
    /// Of a step in the background.
    pub port: Option<u16>,
}

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    pub(super) fn start_step(&mut self, index: StepIndex) -> Option<Input> {
        let plan = self.plan.clone();
        let (job, steps) = planned(&plan, index.cell)?;
        let step = &steps[index.step];
        let has_items = self.item(index).is_some();
        // The condition of a step with items was asked before there were any.
        let condition = if has_items { Ok(None) } else { self.holds(index, job, step) };
        if let Ok(Some(reason)) = condition {
            return Some(self.end_unstarted(index, step, reason));
        }
        let id = self.step_id(index.cell, step, has_items.then_some(index.item));
        if step.background.is_some() {
            if self.stands(index.cell, steps) {
                return Some(self.end_unstarted(index, step, "nothing in its job has to run again".to_owned()));
            }
        } else if let Some(done) = self.options.reuse.done(&id).cloned() {
            return Some(self.take_over(index, step, id, done));
        }
        let (started, attempt) = (self.now(), self.options.reuse.attempt(&id));
        self.tell_started(index, step, attempt, started);
        match condition.and_then(|_| self.decide_step(index, job, step)) {
            Ok(decided) => {
                self.spawn(index, step, decided, started, attempt);
                self.await_ready(index, job, step)
            }
            Err(failure) => {
                let report = StepReport { failure: Some(failure), outputs: IndexMap::new() };
                Some(self.conclude(index, started, FindingCounts::default(), report))
            }
        }
    }

    /// Whether the step runs; if not, why.
    pub(super) fn holds(&mut self, index: StepIndex, job: &Job, step: &Step) -> Result<Option<String>, Failure> {
        let of_job = self.jobs[index.cell.job].failure.clone();
        if let Some(failure) = of_job.or_else(|| self.cell(index.cell).failure.clone()) {
            return Err(failure);
        }
        if let Some(condition) = &step.condition {
            // A step that is skipped needs no variables: what they read may be missing for the same reason.
            let scope = match step.for_each.is_none() && condition.roots().contains("env") {
                true => self.step_scope(index, job, step)?,
                false => self.cell_scope(index.cell, job)?,
            };
            let mut scope = self.with_results(index.cell, job, scope, &[&condition.expression]);
            scope.context.set_status(self.scheduler.step_standing(index.cell).into());
            if !condition.holds(&scope.context).map_err(|problem| self.failure(job, problem))? {
                return Ok(Some("its condition does not hold".to_owned()));
            }
        }
        let quiet = self.options.dry_run && step.kind == Kind::Notify;
        Ok(quiet.then(|| "a dry run notifies nobody".to_owned()))
    }

    /// The id under which the step, or one item of it, stands in events.
    pub(super) fn step_id(&self, cell: CellIndex, step: &Step, item: Option<usize>) -> StepId {
        let job = &self.jobs[cell.job].cells[cell.cell].name;
        match item {
            None => StepId::new(job, &step.id),
            Some(item) => StepId::new(job, format!("{}[{item}]", step.id)),
        }
    }

    /// What people call the step, or one item of it; as it stands in the workflow if it has no value.
    fn name(&mut self, index: StepIndex, step: &Step) -> String {
        let own = step.open_name.as_ref().and_then(|template| self.line(index, step, template));
        let tells_item = step.open_name.as_ref().is_some_and(|name| name.uses_root("item") || name.uses_root("index"));
        let name = own.unwrap_or_else(|| step.name.clone());
        match self.item(index) {
            Some(item) if !tells_item => format!("{name} ({})", matrix::label([item].into_iter())),
            _ => name,
        }
    }

    fn line(&mut self, index: StepIndex, step: &Step, template: &Template) -> Option<String> {
        let plan = self.plan.clone();
        let (job, _) = planned(&plan, index.cell)?;
        let scope = self.step_scope(index, job, step).ok()?;
        let scope = self.with_results(index.cell, job, scope, &template.expressions());
        template.evaluate_line(&scope.context).ok()
    }

    pub(super) fn tell_started(&mut self, index: StepIndex, step: &Step, attempt: u32, at: u64) {
        let id = self.step_id(index.cell, step, self.item(index).map(|_| index.item));
        let name = self.name(index, step);
        let (plugin, digest) = (step.uses.clone(), step.digest);
        self.emit_at(at, EventKind::StepStarted { id, name, attempt, plugin, digest });
    }

    /// The step was done before, and that stands.
    fn take_over(&mut self, index: StepIndex, step: &Step, id: StepId, done: Done) -> Input {
        let Done { outcome, outputs, findings, failure, tainted } = done;
        self.add_result(index, step, outcome, &outputs);
        let name = self.name(index, step);
        let state = StepState {
            id: id.clone(),
            name: name.clone(),
            outcome,
            findings,
            duration_ms: 0,
            failure: failure.clone(),
        };
        self.so_far.step(state);
        self.emit(EventKind::StepReused { id, name, outcome, outputs, findings, failure, tainted });
        Input::Ended { id: index, outcome }
    }

    /// The scope with the item, if there is one, and the step's variables.
    pub(super) fn step_scope(
        &mut self,
        index: StepIndex,
        job: &Job,
        step: &Step,
    ) -> Result<sluice_plan::Scope, Failure> {
        let mut scope = self.cell_scope(index.cell, job)?;
        if let Some(item) = self.item(index) {
            scope = scope.with_item(index.item, item);
        }
        if step.env.is_empty() {
            return Ok(scope);
        }
        let expressions: Vec<_> = step.env.values().flat_map(|template| template.expressions()).collect();
        let scope = self.with_results(index.cell, job, scope, &expressions);
        scope.enter(&step.env).map_err(|problem| self.failure(job, problem))
    }

    fn decide_step(&mut self, index: StepIndex, job: &Job, step: &Step) -> Result<Decided, Failure> {
        let items = step.for_each.as_ref().and_then(|for_each| for_each.items.as_ref());
        let known = items.and_then(|items| items.get(index.item)).map(|(_, decided)| decided);
        let port = self.take_port(index, step)?;
        if let Some(decided) = known.or(step.decided.as_ref()) {
            return Ok(with_port(decided.clone(), step, port));
        }
        let scope = self.step_scope(index, job, step)?;
        let scope = self.with_results(index.cell, job, scope, &step.with.expressions());
        let with = step.with.evaluate(&scope.context).map_err(|problem| self.failure(job, problem))?;
        let decided = sluice_plan::decide(step, with, scope.env().clone())?;
        Ok(with_port(decided, step, port))
    }

    /// `started` is that of the first attempt.
    pub(super) fn spawn(&mut self, index: StepIndex, step: &Step, decided: Decided, started: u64, attempt: u32) {
        let id = self.step_id(index.cell, step, self.item(index).map(|_| index.item));
        let action = match step.kind {
            _ if step.command => Action::Command,
            Kind::Deploy if self.options.dry_run => Action::DeployPlan,
            kind => Action::Run(kind),
        };
        let mut call = self.call(index.cell.job, step, id.clone(), action, &decided, (started, attempt));
        let port = self.port(index, step);
        call.port = port;
        let cancel = call.cancel.clone();
        let events = StepEvents::new(id.clone(), self.say.clone());
        let runner = self.runner.clone();
        let task = self.tasks.spawn(async move { (Task::Step(index), runner.run(call, events).await) });
        let deadline = Instant::now() + Duration::from_millis(step.limits.time_ms) + GRACE_AFTER_LIMIT;
        if step.background.is_none() {
            self.timers.set(deadline, Timer::Step(index));
        }
        self.names.insert(id.clone(), index);
        let findings = FindingCounts::default();
        let background = step.background.is_some().then(Waiting::default);
        let running = Running { id, started, attempt, findings, cancel, decided, task, deadline, background, port };
        self.running.insert(index, running);
    }

    /// `at` is when the first attempt started, and the number of this one.
    pub(super) fn call(
        &self,
        job: JobIndex,
        step: &Step,
        id: StepId,
        action: Action,
        decided: &Decided,
        at: (u64, u32),
    ) -> StepCall {
        let (started, attempt) = at;
        let job = self.plan.job(job);
        StepCall {
            run: self.options.run_id.clone(),
            id,
            attempt,
            plugin: step.uses.clone(),
            digest: step.digest,
            action,
            inputs: decided.inputs.clone(),
            outputs_schema: step.manifest.as_ref().map(|manifest| manifest.outputs.clone()),
            grants: decided.grants.clone(),
            env: decided.env.clone(),
            secrets: job.and_then(|job| self.plan.call_around(job)).map(|(_, call)| call.secrets.clone()),
            limits: step.limits.clone(),
            stop_timeout_ms: step.background.as_ref().map(|background| background.stop_timeout_ms),
            port: None,
            summary: match job.and_then(|job| self.plan.call_around(job)) {
                None => self.so_far.at(started, self.scheduler.run_outcome()),
                Some((call, called)) => self.so_far.inside(started, &call.name, &called.workflow.name),
            },
            cancel: Cancel::default(),
        }
    }

    pub(super) fn skip_step(&mut self, index: StepIndex, reason: Reason) -> Option<Input> {
        let plan = self.plan.clone();
        let (job, steps) = planned(&plan, index.cell)?;
        let reason = match reason {
            Reason::Condition if job.unaffected => Job::UNAFFECTED.to_owned(),
            Reason::Refused => self.jobs[index.cell.job].refused.clone().unwrap_or_default(),
            Reason::Condition => match plan.call_around(job) {
                Some((call, _)) if call.unaffected && !self.has_begun(job) => Job::UNAFFECTED.to_owned(),
                Some((call, _)) if !self.has_begun(job) => {
                    format!("the condition of the job `{}`, which calls its workflow, does not hold", call.name)
                }
                _ => "the condition of its job does not hold".to_owned(),
            },
            Reason::Hook => {
                let of_run = || Some(plan.hooks.get(index.cell.job.checked_sub(plan.jobs.len())?)?.0);
                let (hook, what) = match job.hook {
                    Some(hook) => (hook, "the called workflow"),
                    None => (of_run()?, "the run"),
                };
                match hook {
                    Hook::Success => format!("{what} did not pass"),
                    Hook::Failure => format!("{what} did not fail"),
                    Hook::Cancel | Hook::Finally => format!("{what} was not cancelled"),
                }
            }
            Reason::EarlierStepFailed => "an earlier step failed".to_owned(),
            Reason::OtherItemFailed => "another item of this step failed".to_owned(),
            Reason::OtherCellFailed => "another cell of this matrix failed".to_owned(),
            Reason::Need { need } => {
                let name = plan.job(need).map_or("", |job| job.name.as_str());
                let ended = match self.scheduler.outcome(need) {
                    Some(Outcome::Skipped) => "was skipped",
                    Some(Outcome::Cancelled) => "was cancelled",
                    _ => "failed",
                };
                format!("the job `{name}`, which it needs, {ended}")
            }
            Reason::BackgroundEnded => "a step in the background of its job ended too early".to_owned(),
            Reason::JobTimedOut => "the time of its job was over".to_owned(),
            Reason::RunTimedOut => "the time of the run was over".to_owned(),
            Reason::FailFast if self.scheduler.stop().is_none() => {
                "a job failed, and the first failure ends the called workflow".to_owned()
            }
            Reason::FailFast => "a job failed, and the first failure ends the run".to_owned(),
            Reason::Cancelled => "the run was cancelled".to_owned(),
        };
        self.end_unstarted(index, &steps[index.step], reason);
        None
    }

    /// Whether the call that the job is inside of has begun.
    fn has_begun(&self, job: &Job) -> bool {
        job.inside.is_some_and(|call| self.jobs[call].inside.is_some())
    }

    pub(super) fn end_unstarted(&mut self, index: StepIndex, step: &Step, reason: String) -> Input {
        let verdict = Verdict { outcome: Outcome::Skipped, failure: None };
        let ending = Ending { findings: FindingCounts::default(), outputs: IndexMap::new(), reason: Some(reason) };
        self.record(index, step, verdict, 0, ending)
    }

    /// Takes in what a running step says.
    pub(super) fn hear(&mut self, id: &StepId, said: Said) {
        if let Some(digest) = self.probes.get(id).copied() {
            return self.hear_probe(id, digest, said);
        }
        let Some(&index) = self.names.get(id) else { return };
        let Some(running) = self.running.get_mut(&index) else { return };
        let id = id.clone();
        let kind = match said {
            Said::Log { stream, level, text } => {
                let waits = running.reads_log().then(|| text.clone());
                self.emit(EventKind::Log { id, stream, level, text });
                return waits.into_iter().for_each(|text| self.look_for_ready(index, &text));
            }
            Said::Progress { done, total, message } => EventKind::Progress { id, done, total, message },
            Said::Findings(findings) => {
                verdict::count(&mut running.findings, &findings);
                EventKind::Findings { id, findings }
            }
            Said::Artifact { name, digest, media_type, size } => {
                EventKind::Artifact { id, name, digest, media_type, size }
            }
            Said::SecretSeen { secret, by } => {
                let tainted = self.tainted.entry(index).or_default();
                if !tainted.contains(&secret) {
                    tainted.push(secret.clone());
                }
                EventKind::SecretSeen { id, secret, by }
            }
            Said::Decided(Told::Ruling(ruling)) => {
                let planned = planned(&self.plan, index.cell).and_then(|(_, steps)| steps.get(index.step));
                let Some(digest) = planned.map(|step| step.digest) else { return };
                self.authority.heard(index, &ruling);
                EventKind::Decision { id, digest, ruling }
            }
            Said::Decided(Told::Counted { repeated, left_out }) => {
                EventKind::DecisionsCounted { id, repeated, left_out }
            }
            Said::DeployPlanned(changes) => EventKind::DeployPlanned { id, changes },
            Said::DeployApplied(receipt) => {
                let receipt = receipt.iter().map(|byte| format!("{byte:02x}")).collect();
                let Decided { inputs, grants, .. } = running.decided.clone();
                EventKind::DeployApplied { id, receipt, inputs, grants }
            }
        };
        self.emit(kind);
    }

    /// A step has returned. `None` if it had been given up before, or is tried again.
    pub(super) fn finish_step(&mut self, index: StepIndex, report: StepReport) -> Option<Input> {
        let Running { id, started, attempt, findings, decided, background, cancel, .. } =
            self.running.remove(&index)?;
        self.names.remove(&id);
        let report = match background {
            Some(waiting) => self.background_report(index, waiting, cancel.is_cancelled(), report),
            None => report,
        };
        self.after_attempt(index, Attempt { number: attempt, decided, started, findings }, report)
    }

    pub(super) fn cancel_step(&mut self, index: StepIndex) -> Option<Input> {
        let grace = self.grace(index);
        let Some(running) = self.running.get_mut(&index) else { return self.stop_retrying(index) };
        running.end_probe();
        running.cancel.cancel();
        let deadline = Instant::now() + grace;
        if deadline < running.deadline {
            running.deadline = deadline;
            self.timers.set(deadline, Timer::Step(index));
        }
        None
    }

    /// How long a step may take to end after it was asked to.
    fn grace(&self, index: StepIndex) -> Duration {
        let background = planned(&self.plan, index.cell).and_then(|(_, steps)| steps[index.step].background.as_ref());
        GRACE_AFTER_CANCEL + Duration::from_millis(background.map_or(0, |background| background.stop_timeout_ms))
    }

    /// The scheduler has already gone on, so there is nothing to answer.
    pub(super) fn kill_step(&mut self, index: StepIndex) -> Option<Input> {
        let Some(running) = self.running.get_mut(&index) else {
            self.stop_retrying(index);
            return None;
        };
        running.task.abort();
        running.end_probe();
        let failure = Failure::new(FailureKind::Cancelled, "the run was cancelled at once");
        self.finish_step(index, StepReport { failure: Some(failure), outputs: IndexMap::new() });
        None
    }

    /// The runner has not ended the step in time.
    pub(super) fn give_up(&mut self, index: StepIndex) -> Option<Input> {
        let grace = self.grace(index);
        let running = self.running.get_mut(&index)?;
        running.task.abort();
        running.end_probe();
        let failure = match running.cancel.is_cancelled() {
            // One that was only stopped had nothing else to do than to end.
            true => Failure::new(
                if running.background.is_some() { FailureKind::TimedOut } else { FailureKind::Cancelled },
                format!("the step did not end within {} s after it was asked to", grace.as_secs()),
            ),
            false => {
                let limit = planned(&self.plan, index.cell)?.1[index.step].limits.time_ms;
                Failure::new(
                    FailureKind::TimedOut,
                    format!("the step ran longer than its limit of {}", duration(limit)),
                )
            }
        };
        self.finish_step(index, StepReport { failure: Some(failure), outputs: IndexMap::new() })
    }

    /// Judges a step that was started, and tells.
    pub(super) fn conclude(
        &mut self,
        index: StepIndex,
        started: u64,
        findings: FindingCounts,
        report: StepReport,
    ) -> Input {
        let plan = self.plan.clone();
        let Some((job, steps)) = planned(&plan, index.cell) else {
            return Input::Ended { id: index, outcome: Outcome::Unknown };
        };
        let step = &steps[index.step];
        let failure = report.failure.map(|failure| self.explain(index.cell, job, step, failure));
        let mut failure = verdict::failure(step, failure, findings);
        let may_fail = failure.as_mut().is_some_and(|failure| self.may_fail(index, job, step, failure));
        let mut verdict = verdict::judge(may_fail, failure);
        // That the step may fail does not mean that its job may run out of time.
        if verdict.outcome == Outcome::AllowedToFail && self.scheduler.is_timed_out(index.cell) {
            verdict.outcome = Outcome::Failed;
        }
        let duration_ms = self.now().saturating_sub(started);
        self.record(index, step, verdict, duration_ms, Ending { findings, outputs: report.outputs, reason: None })
    }

    /// Whether the failure is allowed; if that cannot be told, it is not, and the failure says so.
    fn may_fail(&mut self, index: StepIndex, job: &Job, step: &Step, failure: &mut Failure) -> bool {
        let condition = match &step.continue_on_error {
            Flag::Known(known) => return *known,
            Flag::Asked(condition) => condition,
        };
        let asked = self.step_scope(index, job, step).and_then(|scope| {
            let scope = self.with_results(index.cell, job, scope, &[&condition.expression]);
            condition.holds(&scope.context).map_err(|problem| self.failure(job, problem))
        });
        asked.unwrap_or_else(|reason| {
            failure.causes.push(format!("`continue-on-error` could not be asked: {}", reason.message));
            false
        })
    }

    /// Adds what the runner cannot know: the timeout of the job and the place in the workflow.
    fn explain(&self, cell: CellIndex, job: &Job, step: &Step, mut failure: Failure) -> Failure {
        if failure.kind == FailureKind::Cancelled && self.scheduler.is_timed_out(cell) {
            let timeout = duration(job.timeout_ms.unwrap_or_default());
            failure = Failure::new(
                FailureKind::TimedOut,
                format!("the job `{}` ran longer than its timeout of {timeout}", job.name),
            );
        }
        let call = self.scheduler.timed_out_call(cell.job).and_then(|call| self.plan.job(call));
        if let Some(call) = call.filter(|_| failure.kind == FailureKind::Cancelled) {
            let timeout = duration(call.timeout_ms.unwrap_or_default());
            failure = Failure::new(
                FailureKind::TimedOut,
                format!("the job `{}` ran longer than its timeout of {timeout}", call.name),
            );
        }
        if failure.kind == FailureKind::Cancelled && self.scheduler.stop() == Some(Reason::RunTimedOut) {
            let timeout = duration(self.plan.timeout_ms.unwrap_or_default());
            failure = Failure::new(FailureKind::TimedOut, format!("the run took longer than its timeout of {timeout}"));
        }
        if failure.place.is_none() && failure.kind != FailureKind::Cancelled {
            let (span, label) = match failure.kind {
                FailureKind::InvalidInput if !step.with.span.is_empty() => {
                    (step.with.span, "it was given these inputs")
                }
                FailureKind::Denied => (step.uses_span, "it was granted less"),
                FailureKind::TimedOut => (step.uses_span, "it ran too long"),
                FailureKind::Limit => (step.uses_span, "it reached a limit"),
                FailureKind::SecretLeak => (step.uses_span, "it was about to publish a secret"),
                FailureKind::Trap => (step.uses_span, "it crashed"),
                FailureKind::Load => (step.uses_span, "it could not be loaded"),
                _ => (step.uses_span, "it failed"),
            };
            failure.place = Some(Box::new(Place::new(&step.source, span, label)));
        }
        failure
    }

    fn record(&mut self, index: StepIndex, step: &Step, verdict: Verdict, duration_ms: u64, ending: Ending) -> Input {
        let Verdict { outcome, failure } = verdict;
        if outcome == Outcome::Passed {
            self.authority.passed(index);
        }
        let Ending { findings, outputs, reason } = ending;
        self.add_result(index, step, outcome, &outputs);
        let id = self.step_id(index.cell, step, self.item(index).map(|_| index.item));
        let name = self.name(index, step);
        self.so_far.step(StepState { id: id.clone(), name, outcome, findings, duration_ms, failure: failure.clone() });
        let tainted = self.tainted.remove(&index).unwrap_or_default();
        self.emit(EventKind::StepFinished { id, outcome, duration_ms, outputs, findings, failure, reason, tainted });
        Input::Ended { id: index, outcome }
    }
}

/// A program that is to listen learns where from the variable PORT, unless the step sets that itself.
pub(super) fn with_port(mut decided: Decided, step: &Step, port: Option<u16>) -> Decided {
    if let Some(port) = port.filter(|_| !step.env.contains_key("PORT")) {
        decided.env.insert("PORT".to_owned(), port.to_string());
    }
    decided
}

/// What a step leaves behind beside its verdict.
struct Ending {
    findings: FindingCounts,
    outputs: IndexMap<String, Value>,
    /// Why it was skipped.
    reason: Option<String>,
}

/// `90 s`, `1.5 s`, `20 ms`
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ if ms.is_multiple_of(1000) => format!("{} s", ms / 1000),
        _ => format!("{:.1} s", ms as f64 / 1000.0),
    }
}
