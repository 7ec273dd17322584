//! What is looked at, and who is asked, before a job runs.

use std::time::Duration;

use serde_json::Value;
use sluice_model::approval::{Gate, GateState, period};
use sluice_model::{ApprovalRequest, Decision, Event, EventKind, Failure, FailureKind, Place, Span};
use sluice_plan::Job;
use sluice_workflow::Template;
use sluice_workflow::template::{Condition, Expression};
use sluice_workflow::workflow::Test;
use tokio::time::Instant;

use super::timers::Timer;
use super::{Dispatcher, End};
use crate::runner::StepRunner;
use crate::scheduler::{Input, JobIndex};

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    /// Looks at the checklist. If that holds and the job wants somebody to be asked, takes the answer from the record, or
    /// asks.
    pub(super) fn ask_job(&mut self, index: JobIndex) -> Option<Input> {
        let plan = self.plan.clone();
        let job = plan.job(index)?;
        let approved = Some(Input::Answered { job: index, approved: true });
        if self.jobs[index].failure.is_some() {
            // Its steps fail with that, and nobody need be asked.
            return approved;
        }
        let gates = match self.checklist(index, job) {
            Ok(gates) => gates,
            Err(failure) => return Some(self.refuse(index, job, failure)),
        };
        if !gates.is_empty() {
            self.emit(EventKind::ChecklistChecked { job: job.name.clone(), gates: gates.clone() });
        }
        if let Some(failure) = self.broken(job, &gates) {
            return Some(self.refuse(index, job, failure));
        }
        if !job.asks_somebody() || self.options.dry_run {
            return approved;
        }
        if let Some(decision) = self.options.reuse.decision(&job.name).cloned() {
            return Some(self.decided(index, job, decision));
        }
        match self.request(index, job, gates) {
            Ok(request) => self.ask(index, job, request),
            Err(failure) => Some(self.refuse(index, job, failure)),
        }
    }

    fn ask(&mut self, index: JobIndex, job: &Job, request: ApprovalRequest) -> Option<Input> {
        let now = self.now();
        self.emit_at(now, EventKind::ApprovalRequested(request.clone()));
        if let Some(until) = request.until {
            let Some(left @ 1..) = until.checked_sub(now) else { return Some(self.silence(index, job)) };
            self.timers.set(Instant::now() + Duration::from_millis(left), Timer::Approval(index));
        }
        let here = (self.options.ask)(&request);
        (!here).then_some(Input::Unanswerable { job: index })
    }

    /// Somebody has answered. An answer that comes too late, or that nobody asked for, has no effect.
    pub(super) fn answer(&mut self, decision: Decision) {
        let plan = self.plan.clone();
        let Some(index) = plan.jobs.get_index_of(&decision.job).filter(|index| self.scheduler.is_asking(*index)) else {
            return;
        };
        let answer = self.decided(index, &plan.jobs[index], decision);
        self.feed(answer);
    }

    /// Whoever could answer has gone away.
    pub(super) fn nobody(&mut self, job: &str) {
        if let Some(job) = self.plan.jobs.get_index_of(job) {
            self.feed(Input::Unanswerable { job });
        }
    }

    /// The time for an answer is over.
    pub(super) fn approval_timed_out(&mut self, index: JobIndex) {
        let plan = self.plan.clone();
        if let Some(job) = plan.job(index).filter(|_| self.scheduler.is_asking(index)) {
            let answer = self.silence(index, job);
            self.feed(answer);
        }
    }

    fn silence(&mut self, index: JobIndex, job: &Job) -> Input {
        let decision = Decision {
            job: job.name.clone(),
            approved: false,
            by: None,
            actor: None,
            decided_at: self.now(),
            comment: None,
            attested: Vec::new(),
        };
        self.decided(index, job, decision)
    }

    fn decided(&mut self, index: JobIndex, job: &Job, decision: Decision) -> Input {
        self.emit(EventKind::ApprovalGiven(decision.clone()));
        if decision.approved {
            return Input::Answered { job: index, approved: true };
        }
        let timeout = job.approval.as_ref().and_then(|approval| approval.timeout_ms);
        let message = match (&decision.by, timeout) {
            (None, Some(timeout)) => format!("denied: nobody answered within {}", period(timeout)),
            _ => decision.words(),
        };
        let span = job.approval.as_ref().map_or(job.span, |approval| approval.span);
        let failure = self.guard_failure(job, FailureKind::NotApproved, message, span, "was not approved");
        self.refuse(index, job, failure)
    }

    /// The job fails before it began.
    fn refuse(&mut self, index: JobIndex, job: &Job, failure: Failure) -> Input {
        self.jobs[index].refused = Some(failure.message.clone());
        self.emit(EventKind::JobRefused { job: job.name.clone(), failure });
        Input::Answered { job: index, approved: false }
    }

    fn checklist(&self, index: JobIndex, job: &Job) -> Result<Vec<Gate>, Failure> {
        let gates = job.checklist.iter().map(|(name, gate)| {
            let message = gate.message.as_ref().map(|message| self.text(index, job, message)).transpose()?;
            let (state, detail) = match &gate.test {
                Test::Attest(question) => (GateState::ToAttest, self.text(index, job, question)?),
                Test::Check(condition) => match self.gate_holds(index, job, condition) {
                    Ok(true) => (GateState::Holds, message.unwrap_or_else(|| condition.expression.text.clone())),
                    Ok(false) => (GateState::DoesNotHold, message.unwrap_or_else(|| condition.expression.text.clone())),
                    Err(failure) => (GateState::DoesNotHold, failure.message),
                },
            };
            Ok(Gate { name: name.clone(), state, detail: Some(detail) })
        });
        gates.collect()
    }

    fn gate_holds(&self, index: JobIndex, job: &Job, condition: &Condition) -> Result<bool, Failure> {
        let scope = self.with_needs(index, job, self.workflow_scope(job)?, &[&condition.expression]);
        condition.holds(&scope.context).map_err(|problem| self.failure(job, problem))
    }

    /// The failure of the gates that do not hold, if there are any, at the place of the first.
    fn broken(&self, job: &Job, gates: &[Gate]) -> Option<Failure> {
        let broken: Vec<&Gate> = gates.iter().filter(|gate| gate.state == GateState::DoesNotHold).collect();
        let first = broken.first()?;
        let span = job.checklist.get(&first.name).map_or(job.span, |gate| gate.span);
        let names = broken.iter().map(|gate| format!("`{}`", gate.name)).collect::<Vec<_>>().join(", ");
        let message = match broken.len() {
            1 => format!("gate {names} does not hold"),
            _ => format!("gates {names} do not hold"),
        };
        let failure = self.guard_failure(job, FailureKind::Gate, message, span, "does not hold");
        Some(broken.iter().fold(failure, |failure, gate| {
            failure.cause(format!("{}: {}", gate.name, gate.detail.as_deref().unwrap_or_default()))
        }))
    }

    fn request(&self, index: JobIndex, job: &Job, gates: Vec<Gate>) -> Result<ApprovalRequest, Failure> {
        let approval = job.approval.as_ref();
        let message = approval.and_then(|approval| approval.message.as_ref());
        let message = message.map(|message| self.text(index, job, message)).transpose()?;
        let timeout = approval.and_then(|approval| approval.timeout_ms);
        // The time runs from when it was first asked, also when the run was not there meanwhile.
        let before = self.options.reuse.asked_until(&job.name);
        let until = before.unwrap_or_else(|| timeout.map(|timeout| self.now().saturating_add(timeout)));
        Ok(ApprovalRequest {
            job: job.name.clone(),
            message: message.unwrap_or_else(|| format!("Run the job {}?", job.name)),
            gates,
            by: approval.map(|approval| approval.by.clone()).unwrap_or_default(),
            not_by: self.options.started_by.clone().filter(|_| approval.is_some_and(|approval| approval.not_self)),
            until,
        })
    }

    fn text(&self, index: JobIndex, job: &Job, template: &Template) -> Result<String, Failure> {
        let expressions: Vec<&Expression> = template.expressions();
        let scope = self.with_needs(index, job, self.workflow_scope(job)?, &expressions);
        match template.evaluate(&scope.context).map_err(|problem| self.failure(job, problem))? {
            Value::String(text) => Ok(text),
            value => Ok(value.to_string()),
        }
    }

    fn guard_failure(&self, job: &Job, kind: FailureKind, message: String, span: Span, label: &str) -> Failure {
        let place = Some(Box::new(Place::new(&job.source, span, label)));
        Failure { place, ..Failure::new(kind, message) }
    }

    /// Nothing is left but what waits for an answer that nobody can give here.
    pub(super) fn park(&mut self) -> Option<Input> {
        self.finished = Some(End::Parked);
        let asking = self.scheduler.asking().filter_map(|index| self.plan.job(index));
        let jobs = asking.map(|job| job.name.clone()).collect();
        let now = self.now();
        self.emit_at(now, EventKind::RunParked { jobs, duration_ms: now.saturating_sub(self.started) });
        None
    }
}
