//! Begin and end of steps.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::event::FindingCounts;
use sluice_model::{Event, EventKind, Failure, FailureKind, Grants, Kind, Outcome, Place, StepId};
use sluice_plan::{Decided, Job, Step};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::summary::StepState;
use super::timers::Timer;
use super::verdict::{self, Verdict};
use super::{Dispatcher, GRACE_AFTER_CANCEL, GRACE_AFTER_LIMIT};
use crate::runner::{Action, Cancel, Said, StepCall, StepEvents, StepReport, StepRunner};
use crate::scheduler::{Input, Reason, StepIndex};

/// Retries are not there yet: every attempt is the first.
const ATTEMPT: u32 = 1;

/// A step that has been handed to the runner.
#[derive(Debug)]
pub struct Running {
    id: StepId,
    started: u64,
    findings: FindingCounts,
    cancel: Cancel,
    /// Inputs and grants of a deployment, which a rollback needs again.
    deployed_with: Option<(Value, Grants)>,
    pub task: AbortHandle,
    /// When the dispatcher gives it up.
    pub deadline: Instant,
}

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    pub(super) fn start_step(&mut self, index: StepIndex) -> Option<Input> {
        let plan = self.plan.clone();
        let job = plan.job(index.job)?;
        let step = &job.steps[index.step];
        let condition = match self.jobs[index.job].condition_failure.clone() {
            Some(failure) => Err(failure),
            None => self.step_condition(index, job, step),
        };
        match condition {
            Ok(true) if self.options.dry_run && step.kind == Kind::Notify => {
                return Some(self.end_unstarted(index, job, "a dry run notifies nobody".to_owned()));
            }
            Ok(false) => return Some(self.end_unstarted(index, job, "its condition does not hold".to_owned())),
            Ok(true) | Err(_) => {}
        }
        let id = StepId::new(job.name.clone(), step.id.clone());
        let started = self.now();
        self.emit_at(
            started,
            EventKind::StepStarted {
                id: id.clone(),
                name: step.name.clone(),
                attempt: ATTEMPT,
                plugin: step.uses.clone(),
                digest: step.digest,
            },
        );
        match condition.and_then(|_| self.decide_step(index, job, step)) {
            Ok(decided) => {
                self.spawn(index, id, step, decided, started);
                None
            }
            Err(failure) => {
                let report = StepReport { failure: Some(failure), outputs: IndexMap::new() };
                Some(self.conclude(index, started, FindingCounts::default(), report))
            }
        }
    }

    fn step_condition(&mut self, index: StepIndex, job: &Job, step: &Step) -> Result<bool, Failure> {
        let Some(condition) = &step.condition else { return Ok(true) };
        let scope = self.step_scope(index, job, step)?;
        let scope = self.scope_for(index.job, job, scope, &[&condition.expression]);
        condition.holds(&scope.context).map_err(|problem| self.failure(problem))
    }

    /// The scope with the step's variables.
    fn step_scope(&mut self, index: StepIndex, job: &Job, step: &Step) -> Result<sluice_plan::Scope, Failure> {
        let scope = self.job_scope(index.job, job)?;
        if step.env.is_empty() {
            return Ok(scope);
        }
        let expressions: Vec<_> = step.env.values().flat_map(|template| template.expressions()).collect();
        let scope = self.scope_for(index.job, job, scope, &expressions);
        scope.enter(&step.env).map_err(|problem| self.failure(problem))
    }

    fn decide_step(&mut self, index: StepIndex, job: &Job, step: &Step) -> Result<Decided, Failure> {
        if let Some(decided) = &step.decided {
            return Ok(decided.clone());
        }
        let scope = self.step_scope(index, job, step)?;
        let scope = self.scope_for(index.job, job, scope, &step.with.expressions());
        let with = step.with.evaluate(&scope.context).map_err(|problem| self.failure(problem))?;
        sluice_plan::decide(&self.plan, step, with, scope.env().clone())
    }

    fn spawn(&mut self, index: StepIndex, id: StepId, step: &Step, decided: Decided, started: u64) {
        let action = match step.kind {
            _ if step.command => Action::Command,
            Kind::Deploy if self.options.dry_run => Action::DeployPlan,
            kind => Action::Run(kind),
        };
        let cancel = Cancel::default();
        let deployed_with = (step.kind == Kind::Deploy).then(|| (decided.inputs.clone(), decided.grants.clone()));
        let call = StepCall {
            run: self.options.run_id.clone(),
            id: id.clone(),
            attempt: ATTEMPT,
            plugin: step.uses.clone(),
            digest: step.digest,
            action,
            inputs: decided.inputs,
            outputs_schema: step.manifest.as_ref().map(|manifest| manifest.outputs.clone()),
            grants: decided.grants,
            env: decided.env,
            limits: step.limits.clone(),
            summary: self.so_far.at(started, self.scheduler.run_outcome()),
            cancel: cancel.clone(),
        };
        let events = StepEvents::new(id.clone(), self.say.clone());
        let runner = self.runner.clone();
        let task = self.tasks.spawn(async move { (index, runner.run(call, events).await) });
        let deadline = Instant::now() + Duration::from_millis(step.limits.time_ms) + GRACE_AFTER_LIMIT;
        self.timers.set(deadline, Timer::Step(index));
        self.names.insert(id.clone(), index);
        let findings = FindingCounts::default();
        self.running.insert(index, Running { id, started, findings, cancel, deployed_with, task, deadline });
    }

    pub(super) fn skip_step(&mut self, index: StepIndex, reason: Reason) -> Option<Input> {
        let plan = self.plan.clone();
        let job = plan.job(index.job)?;
        let reason = match reason {
            Reason::Condition => "the condition of its job does not hold".to_owned(),
            Reason::EarlierStepFailed => "an earlier step failed".to_owned(),
            Reason::Need { need } => {
                let name = plan.job(need).map_or("", |job| job.name.as_str());
                let ended = match self.scheduler.outcome(need) {
                    Some(Outcome::Skipped) => "was skipped",
                    Some(Outcome::Cancelled) => "was cancelled",
                    _ => "failed",
                };
                format!("the job `{name}`, which it needs, {ended}")
            }
            Reason::JobTimedOut => "the time of its job was over".to_owned(),
            Reason::Cancelled => "the run was cancelled".to_owned(),
        };
        self.end_unstarted(index, job, reason);
        None
    }

    fn end_unstarted(&mut self, index: StepIndex, job: &Job, reason: String) -> Input {
        let verdict = Verdict { outcome: Outcome::Skipped, failure: None };
        self.record(index, job, verdict, 0, FindingCounts::default(), IndexMap::new(), Some(reason))
    }

    /// Takes in what a running step says.
    pub(super) fn hear(&mut self, id: &StepId, said: Said) {
        let Some(running) = self.names.get(id).and_then(|index| self.running.get_mut(index)) else { return };
        let id = id.clone();
        let kind = match said {
            Said::Log { stream, level, text } => EventKind::Log { id, stream, level, text },
            Said::Progress { done, total, message } => EventKind::Progress { id, done, total, message },
            Said::Findings(findings) => {
                verdict::count(&mut running.findings, &findings);
                EventKind::Findings { id, findings }
            }
            Said::Artifact { name, digest, media_type, size } => {
                EventKind::Artifact { id, name, digest, media_type, size }
            }
            Said::DeployPlanned(changes) => EventKind::DeployPlanned { id, changes },
            Said::DeployApplied(receipt) => {
                let receipt = receipt.iter().map(|byte| format!("{byte:02x}")).collect();
                let (inputs, grants) = running.deployed_with.clone().unwrap_or_default();
                EventKind::DeployApplied { id, receipt, inputs, grants }
            }
        };
        self.emit(kind);
    }

    /// A step has returned. `None` if it had been given up before.
    pub(super) fn finish_step(&mut self, index: StepIndex, report: StepReport) -> Option<Input> {
        let running = self.running.remove(&index)?;
        self.names.remove(&running.id);
        Some(self.conclude(index, running.started, running.findings, report))
    }

    pub(super) fn cancel_step(&mut self, index: StepIndex) -> Option<Input> {
        let running = self.running.get_mut(&index)?;
        running.cancel.cancel();
        let deadline = Instant::now() + GRACE_AFTER_CANCEL;
        if deadline < running.deadline {
            running.deadline = deadline;
            self.timers.set(deadline, Timer::Step(index));
        }
        None
    }

    /// The scheduler has already gone on, so there is nothing to answer.
    pub(super) fn kill_step(&mut self, index: StepIndex) -> Option<Input> {
        self.running.get(&index)?.task.abort();
        let failure = Failure::new(FailureKind::Cancelled, "the run was cancelled at once");
        self.finish_step(index, StepReport { failure: Some(failure), outputs: IndexMap::new() });
        None
    }

    /// The runner has not ended the step in time.
    pub(super) fn give_up(&mut self, index: StepIndex) -> Option<Input> {
        let running = self.running.get(&index)?;
        running.task.abort();
        let failure = match running.cancel.is_cancelled() {
            true => Failure::new(
                FailureKind::Cancelled,
                format!("the step did not end within {} s after it was asked to", GRACE_AFTER_CANCEL.as_secs()),
            ),
            false => {
                let limit = self.plan.job(index.job)?.steps[index.step].limits.time_ms;
                Failure::new(
                    FailureKind::TimedOut,
                    format!("the step ran longer than its limit of {}", duration(limit)),
                )
            }
        };
        self.finish_step(index, StepReport { failure: Some(failure), outputs: IndexMap::new() })
    }

    /// Judges a step that was started, and tells.
    fn conclude(&mut self, index: StepIndex, started: u64, findings: FindingCounts, report: StepReport) -> Input {
        let plan = self.plan.clone();
        let Some(job) = plan.job(index.job) else { return Input::Ended { id: index, outcome: Outcome::Unknown } };
        let step = &job.steps[index.step];
        let failure = report.failure.map(|failure| self.explain(index, job, step, failure));
        let mut verdict = verdict::judge(step, failure, findings);
        // That the step may fail does not mean that its job may run out of time.
        if verdict.outcome == Outcome::AllowedToFail && self.scheduler.is_timed_out(index.job) {
            verdict.outcome = Outcome::Failed;
        }
        let duration_ms = self.now().saturating_sub(started);
        self.record(index, job, verdict, duration_ms, findings, report.outputs, None)
    }

    /// Adds what the runner cannot know: the timeout of the job and the place in the workflow.
    fn explain(&self, index: StepIndex, job: &Job, step: &Step, mut failure: Failure) -> Failure {
        if failure.kind == FailureKind::Cancelled && self.scheduler.is_timed_out(index.job) {
            let timeout = duration(job.timeout_ms.unwrap_or_default());
            failure = Failure::new(
                FailureKind::TimedOut,
                format!("the job `{}` ran longer than its timeout of {timeout}", job.name),
            );
        }
        if failure.place.is_none() && failure.kind != FailureKind::Cancelled {
            let (span, label) = match failure.kind {
                FailureKind::InvalidInput if !step.with.span.is_empty() => {
                    (step.with.span, "it was given these inputs")
                }
                FailureKind::Denied => (step.uses_span, "it was granted less"),
                FailureKind::TimedOut => (step.uses_span, "it ran too long"),
                FailureKind::Limit => (step.uses_span, "it reached a limit"),
                FailureKind::Trap => (step.uses_span, "it crashed"),
                FailureKind::Load => (step.uses_span, "it could not be loaded"),
                _ => (step.uses_span, "it failed"),
            };
            failure.place = Some(Box::new(Place::new(&self.plan.source, span, label)));
        }
        failure
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of the one event")]
    fn record(
        &mut self,
        index: StepIndex,
        job: &Job,
        verdict: Verdict,
        duration_ms: u64,
        findings: FindingCounts,
        outputs: IndexMap<String, serde_json::Value>,
        reason: Option<String>,
    ) -> Input {
        let Verdict { outcome, failure } = verdict;
        let step = &job.steps[index.step];
        self.jobs[index.job].steps.add(&step.id, outcome, &outputs);
        self.so_far.step(StepState { index, outcome, findings, duration_ms, failure: failure.clone() });
        let id = StepId::new(job.name.clone(), step.id.clone());
        self.emit(EventKind::StepFinished { id, outcome, duration_ms, outputs, findings, failure, reason });
        Input::Ended { id: index, outcome }
    }
}

/// `90 s`, `1.5 s`, `20 ms`
fn duration(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ if ms.is_multiple_of(1000) => format!("{} s", ms / 1000),
        _ => format!("{:.1} s", ms as f64 / 1000.0),
    }
}
