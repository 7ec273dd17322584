//! The run so far, for notifications.

use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use sluice_model::event::FindingCounts;
use sluice_model::{Failure, Outcome, StepId};
use sluice_plan::Plan;

use crate::runner::Summary;

/// Kept up to date by the dispatcher, read when a plugin asks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SoFar {
    workflow: String,
    run: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    outcome: Outcome,
    started: u64,
    now: u64,
    /// Those of the workflow first, in its order.
    jobs: IndexMap<String, JobState>,
}

#[derive(Debug, Default)]
struct JobState {
    outcome: Option<Outcome>,
    steps: Vec<StepState>,
}

/// One step that has ended.
#[derive(Debug, Clone)]
pub struct StepState {
    pub id: StepId,
    /// For people.
    pub name: String,
    pub outcome: Outcome,
    pub findings: FindingCounts,
    pub duration_ms: u64,
    pub failure: Option<Failure>,
}

impl SoFar {
    pub fn new(plan: &Plan, run: String, now: u64) -> Self {
        let cells = plan.all_jobs().flat_map(|job| &job.cells);
        let jobs = cells.map(|cell| (cell.name.clone(), JobState::default())).collect();
        let state = State { outcome: Outcome::Passed, started: now, now, jobs };
        Self { workflow: plan.workflow.clone(), run, state: Arc::new(Mutex::new(state)) }
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A step has ended; `outcome` is what the run's would be if it ended now.
    pub fn step(&self, step: StepState) {
        self.update(|state| state.jobs.entry(step.id.job.clone()).or_default().steps.push(step));
    }

    pub fn job(&self, job: &str, outcome: Outcome) {
        self.update(|state| state.jobs.entry(job.to_owned()).or_default().outcome = Some(outcome));
    }

    /// How things stand at `now`, in milliseconds of the run's clock.
    pub fn at(&self, now: u64, outcome: Outcome) -> Summary {
        self.update(|state| (state.now, state.outcome) = (now, outcome));
        let this = self.clone();
        Summary::new(move || this.to_json())
    }

    /// The same of a called workflow only: it sees nothing of the jobs around the call of this name.
    pub fn inside(&self, now: u64, call: &str, workflow: &str) -> Summary {
        self.update(|state| state.now = now);
        let (this, workflow, before) = (self.clone(), workflow.to_owned(), format!("{call}{}", sluice_plan::SEPARATOR));
        Summary::new(move || this.inside_to_json(&workflow, &before))
    }

    fn inside_to_json(&self, workflow: &str, before: &str) -> Value {
        let mut value = self.to_json();
        let jobs = value["jobs"].take();
        let jobs: Map<String, Value> = match jobs {
            Value::Object(jobs) => {
                jobs.into_iter().filter_map(|(name, job)| Some((name.strip_prefix(before)?.to_owned(), job))).collect()
            }
            _ => Map::new(),
        };
        let has = |outcome: Outcome| jobs.values().any(|job| job["outcome"] == json!(outcome));
        let outcome = match () {
            () if has(Outcome::Failed) || has(Outcome::Unknown) => Outcome::Failed,
            () if has(Outcome::Cancelled) => Outcome::Cancelled,
            () => Outcome::Passed,
        };
        value["outcome"] = json!(outcome);
        value["workflow"] = json!(workflow);
        value["jobs"] = Value::Object(jobs);
        value
    }

    fn to_json(&self) -> Value {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let known = state.jobs.iter().filter(|(_, state)| state.outcome.is_some() || !state.steps.is_empty());
        let jobs = known.map(|(name, state)| {
            let steps: Map<String, Value> = state.steps.iter().map(StepState::to_json).collect();
            // A job that still runs is judged by what it has done so far.
            let bad = state.steps.iter().any(|step| !step.outcome.is_good());
            let outcome = state.outcome.unwrap_or(if bad { Outcome::Failed } else { Outcome::Passed });
            (name.clone(), json!({"outcome": outcome, "steps": steps}))
        });
        json!({
            "id": self.run,
            "workflow": self.workflow,
            "outcome": state.outcome,
            "duration-ms": state.now.saturating_sub(state.started),
            "jobs": jobs.collect::<Map<String, Value>>(),
        })
    }
}

impl StepState {
    fn to_json(&self) -> (String, Value) {
        let mut value = json!({
            "name": self.name,
            "outcome": self.outcome,
            "findings": self.findings,
            "duration-ms": self.duration_ms,
        });
        if let Some(failure) = &self.failure {
            value["failure"] = json!(failure);
        }
        (self.id.step.clone(), value)
    }
}
