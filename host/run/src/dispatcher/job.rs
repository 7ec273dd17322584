//! Begin and end of jobs.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::{Event, EventKind, Failure, Outcome, Problem};
use sluice_plan::{Job, Scope};
use sluice_workflow::template::Expression;
use tokio::time::Instant;

use super::Dispatcher;
use super::timers::Timer;
use super::values::{self, Results};
use crate::runner::StepRunner;
use crate::scheduler::{Input, JobIndex};

/// What is known of one job beyond the scheduler's view.
#[derive(Debug, Default)]
pub struct JobState {
    /// `None` for a job that never began.
    started: Option<u64>,
    /// With the job's variables; made when it is first needed.
    scope: Option<Result<Scope, Failure>>,
    /// Of the steps that have ended.
    pub steps: Results,
    /// Why the job's condition could not be evaluated: every step of it fails with this.
    pub condition_failure: Option<Failure>,
}

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    pub(super) fn decide_job(&mut self, index: JobIndex) -> Input {
        let plan = self.plan.clone();
        let condition = plan.job(index).and_then(|job| job.condition.as_ref().map(|condition| (job, condition)));
        let Some((job, condition)) = condition else { return Input::Decided { job: index, holds: true } };
        // The job's own variables are not there yet: they may need what the condition guards.
        let holds = self.scope.clone().and_then(|scope| {
            let scope = self.scope_for(index, job, scope, &[&condition.expression]);
            condition.holds(&scope.context).map_err(|problem| self.failure(problem))
        });
        let holds = holds.unwrap_or_else(|failure| {
            self.jobs[index].condition_failure = Some(failure);
            true
        });
        Input::Decided { job: index, holds }
    }

    pub(super) fn begin_job(&mut self, index: JobIndex) -> Option<Input> {
        let plan = self.plan.clone();
        let job = plan.job(index)?;
        let now = self.now();
        self.jobs[index].started = Some(now);
        if let Some(timeout) = job.timeout_ms {
            self.timers.set(Instant::now() + Duration::from_millis(timeout), Timer::Job(index));
        }
        self.emit_at(now, EventKind::JobStarted { job: job.name.clone() });
        None
    }

    pub(super) fn finish_job(&mut self, index: JobIndex, outcome: Outcome) -> Option<Input> {
        let plan = self.plan.clone();
        let job = plan.job(index)?;
        let began = self.jobs[index].started;
        let outputs = if began.is_some() { self.job_outputs(index, job, outcome) } else { IndexMap::new() };
        self.needs.add(&job.name, outcome, &outputs);
        self.so_far.job(index, outcome);
        let now = self.now();
        let duration_ms = now.saturating_sub(began.unwrap_or(now));
        self.jobs[index] = JobState::default();
        self.emit_at(now, EventKind::JobFinished { job: job.name.clone(), outcome, duration_ms, outputs });
        None
    }

    /// An output that has no value is left out, so that what uses it fails at the place where it is used.
    fn job_outputs(&mut self, index: JobIndex, job: &Job, outcome: Outcome) -> IndexMap<String, Value> {
        let mut outputs = IndexMap::new();
        for (name, template) in &job.outputs {
            let value = self.job_scope(index, job).and_then(|scope| {
                let scope = self.scope_for(index, job, scope, &template.expressions());
                template.evaluate(&scope.context).map_err(|problem| self.failure(problem))
            });
            match value {
                Ok(value) => {
                    outputs.insert(name.clone(), value);
                }
                Err(failure) if outcome == Outcome::Passed => {
                    let message = format!("job `{}` has no output `{name}`: {}", job.name, failure.message);
                    self.emit(EventKind::Warning { message });
                }
                // What failed or was cancelled owes no outputs.
                Err(_) => {}
            }
        }
        outputs
    }

    /// The scope with the job's variables.
    pub(super) fn job_scope(&mut self, index: JobIndex, job: &Job) -> Result<Scope, Failure> {
        if let Some(scope) = &self.jobs[index].scope {
            return scope.clone();
        }
        let scope = self.scope.clone().and_then(|scope| {
            let expressions: Vec<_> = job.env.values().flat_map(|template| template.expressions()).collect();
            let scope = self.scope_for(index, job, scope, &expressions);
            scope.enter(&job.env).map_err(|problem| self.failure(problem))
        });
        self.jobs[index].scope = Some(scope.clone());
        scope
    }

    /// The scope with as much of `needs` and `steps` as the expressions name.
    pub(super) fn scope_for(&self, index: JobIndex, job: &Job, mut scope: Scope, expressions: &[&Expression]) -> Scope {
        let finally = self.plan.finally.is_some() && index == self.plan.jobs.len();
        let needs = || if finally { self.plan.jobs.keys().cloned().collect() } else { job.needs.clone() };
        values::add_results(&mut scope, "needs", expressions, |name| self.needs.get(name), needs);
        let steps = &self.jobs[index].steps;
        values::add_results(&mut scope, "steps", expressions, |name| steps.get(name), || steps.names());
        scope
    }

    pub(super) fn failure(&self, problem: Problem) -> Failure {
        values::failure(problem, &self.plan.source)
    }
}
