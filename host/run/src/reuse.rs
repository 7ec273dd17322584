//! Results of an earlier run, or of the same run before it was interrupted, that stand.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::event::FindingCounts;
use sluice_model::{Decision, Event, EventKind, Failure, Outcome, StepId};

/// What is known of the steps of a recorded run.
#[derive(Debug, Clone, Default)]
pub struct Reuse {
    /// The run; `None` if nothing is reused.
    pub of: Option<String>,
    steps: HashMap<StepId, Step>,
    approvals: HashMap<String, Asked>,
    /// Ids of the items of steps with `for-each`.
    items: HashMap<StepId, Vec<StepId>>,
    /// How cells ended, unless they began again.
    cells: HashMap<String, Outcome>,
}

/// A job about which somebody was asked.
#[derive(Debug, Clone, Default)]
struct Asked {
    /// When silence becomes a denial, if ever.
    until: Option<u64>,
    decision: Option<Decision>,
}

/// One recorded step.
#[derive(Debug, Clone, Default)]
struct Step {
    /// The attempt that was started last.
    attempt: u32,
    /// Its last end, unless it was started again.
    done: Option<Done>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    pub outcome: Outcome,
    pub outputs: IndexMap<String, Value>,
    pub findings: FindingCounts,
    pub failure: Option<Failure>,
    pub tainted: Vec<String>,
}

impl Reuse {
    /// Everything that was recorded of the run `of`.
    pub fn of<'e>(of: &str, events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut reuse = Self { of: Some(of.to_owned()), ..Self::default() };
        for event in events {
            reuse.add(event);
        }
        reuse
    }

    /// Takes in one more event of that run.
    pub fn add(&mut self, event: &Event) {
        match &event.kind {
            EventKind::ApprovalRequested(request) => {
                self.approvals.insert(request.job.clone(), Asked { until: request.until, decision: None });
            }
            EventKind::ApprovalGiven(decision) => {
                self.approvals.entry(decision.job.clone()).or_default().decision = Some(decision.clone());
            }
            EventKind::StepStarted { id, attempt, .. } => {
                self.steps.insert(id.clone(), Step { attempt: *attempt, done: None });
            }
            EventKind::StepFinished { id, outcome, outputs, findings, failure, tainted, .. }
            | EventKind::StepReused { id, outcome, outputs, findings, failure, tainted, .. } => {
                let done = Done {
                    outcome: *outcome,
                    outputs: outputs.clone(),
                    findings: *findings,
                    failure: failure.clone(),
                    tainted: tainted.clone(),
                };
                self.steps.entry(id.clone()).or_default().done = Some(done);
            }
            EventKind::StepExpanded { id, items } => {
                let items = items.iter().map(|item| StepId::new(&id.job, item)).collect();
                self.items.insert(id.clone(), items);
            }
            EventKind::JobStarted { job, .. } => drop(self.cells.remove(job)),
            EventKind::JobFinished { job, outcome, .. } => drop(self.cells.insert(job.clone(), *outcome)),
            _ => {}
        }
    }

    /// How the step ended last, unless it was started again.
    pub fn outcome(&self, id: &StepId) -> Option<Outcome> {
        Some(self.steps.get(id)?.done.as_ref()?.outcome)
    }

    /// Whether neither the step nor an item of it has to run again, as far as the record can tell. When in doubt, no.
    pub fn is_settled(&self, id: &StepId) -> bool {
        let cell = self.cells.get(&id.job);
        let has_ended = matches!(cell, Some(Outcome::Passed | Outcome::AllowedToFail | Outcome::Failed));
        let settled = |id: &StepId| match self.outcome(id) {
            Some(Outcome::Passed | Outcome::AllowedToFail | Outcome::Failed) => true,
            // Its condition is asked again; once the cell has ended, the answer is known.
            Some(Outcome::Skipped) => has_ended,
            Some(Outcome::Cancelled | Outcome::Unknown) | None => false,
        };
        self.items.get(id).map_or_else(|| settled(id), |items| items.iter().all(settled))
    }

    /// How the step ended, if that stands. What was skipped is asked again, and what was cancelled runs again.
    pub fn done(&self, id: &StepId) -> Option<&Done> {
        let done = self.steps.get(id)?.done.as_ref()?;
        matches!(done.outcome, Outcome::Passed | Outcome::AllowedToFail | Outcome::Failed).then_some(done)
    }

    /// What was said about the job.
    pub fn decision(&self, job: &str) -> Option<&Decision> {
        self.approvals.get(job)?.decision.as_ref()
    }

    /// When silence about the job becomes a denial, if ever; `None` if nobody was asked.
    pub fn asked_until(&self, job: &str) -> Option<Option<u64>> {
        self.approvals.get(job).map(|asked| asked.until)
    }

    /// Forgets what was asked about jobs and said to it, so that somebody is asked again.
    pub fn forget_approvals(&mut self, which: impl Fn(&str) -> bool) {
        self.approvals.retain(|job, _| !which(job));
    }

    /// The attempt at a step that was under way, which is made again under the same number; the first if there was none.
    pub fn attempt(&self, id: &StepId) -> u32 {
        self.steps.get(id).filter(|step| step.done.is_none()).map_or(1, |step| step.attempt.max(1))
    }

    /// Steps that were started and have no end on record.
    pub fn unknown(&self) -> impl Iterator<Item = &StepId> {
        self.steps.iter().filter(|(_, step)| step.done.is_none()).map(|(id, _)| id)
    }

    /// Ids of all steps that were started or ended.
    pub fn ids(&self) -> impl Iterator<Item = &StepId> {
        self.steps.keys()
    }

    /// Ids of all steps that ended with one of these outcomes.
    pub fn ended(&self, outcomes: &[Outcome]) -> impl Iterator<Item = &StepId> {
        self.steps
            .iter()
            .filter(|(_, step)| step.done.as_ref().is_some_and(|done| outcomes.contains(&done.outcome)))
            .map(|(id, _)| id)
    }

    /// Forgets steps, so that they run again from their first attempt.
    pub fn forget(&mut self, which: impl Fn(&StepId) -> bool) {
        self.steps.retain(|id, _| !which(id));
        self.items.retain(|id, _| !which(id));
    }
}
