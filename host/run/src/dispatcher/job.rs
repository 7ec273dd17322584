//! Jobs: whether they run, how many cells they have, what they came to.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use sluice_model::{Event, EventKind, Failure, FailureKind, Outcome, Place, Problem};
use sluice_plan::{Job, Scope};
use sluice_workflow::matrix;
use sluice_workflow::template::{Expression, Status};

use super::Dispatcher;
use super::cell::CellState;
use super::values;
use crate::runner::StepRunner;
use crate::scheduler::{CellIndex, Input, JobIndex, Standing};

/// What is known of one job beyond the scheduler's view.
#[derive(Debug)]
pub struct JobState {
    pub cells: Vec<CellState>,
    /// Why the job's condition or matrix could not be evaluated: its first step fails with this.
    pub failure: Option<Failure>,
    /// Of a call that has begun: what the called workflow sees.
    pub inside: Option<Result<Scope, Failure>>,
    /// Why the job was not let through, if it was not.
    pub refused: Option<String>,
}

impl JobState {
    pub fn new(job: &Job) -> Self {
        let cells = job.cells.iter().map(|cell| CellState::new(cell.name.clone(), cell.matrix.clone()));
        Self { cells: cells.collect(), failure: None, inside: None, refused: None }
    }
}

impl From<Standing> for Status {
    fn from(standing: Standing) -> Self {
        Self { failed: standing.failed, cancelled: standing.cancelled }
    }
}

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    pub(super) fn decide_job(&mut self, index: JobIndex) -> Input {
        let plan = self.plan.clone();
        let Some(job) = plan.job(index) else { return Input::Decided { job: index, holds: false, cells: 0 } };
        if let Some(call) = &job.call {
            return self.decide_call(index, job, call);
        }
        let decided = match self.job_condition(index, job) {
            Ok(true) => self.job_cells(index, job).map(Some),
            Ok(false) => Ok(None),
            Err(failure) => Err(failure),
        };
        match decided {
            Ok(Some(cells)) => Input::Decided { job: index, holds: true, cells },
            Ok(None) => Input::Decided { job: index, holds: false, cells: 0 },
            Err(failure) => {
                self.jobs[index].failure = Some(failure);
                Input::Decided { job: index, holds: true, cells: self.jobs[index].cells.len().max(1) }
            }
        }
    }

    pub(super) fn job_condition(&self, index: JobIndex, job: &Job) -> Result<bool, Failure> {
        let Some(condition) = &job.condition else { return Ok(true) };
        // The job's own variables are not there yet: they may need what the condition guards.
        let mut scope = self.with_needs(index, job, self.workflow_scope(job)?, &[&condition.expression]);
        scope.context.set_status(self.scheduler.job_standing(index).into());
        condition.holds(&scope.context).map_err(|problem| self.failure(job, problem))
    }

    /// How many cells the job has. Those of a matrix that was not known until now take the place of the job.
    fn job_cells(&mut self, index: JobIndex, job: &Job) -> Result<usize, Failure> {
        let Some(template) = &job.matrix else { return Ok(job.cells.len()) };
        let scope = self.with_needs(index, job, self.workflow_scope(job)?, &template.expressions());
        let value = template.evaluate(&scope.context).map_err(|problem| self.failure(job, problem))?;
        let cells = matrix::cells(&value).map_err(|reason| Failure {
            place: Some(Box::new(Place::new(&job.source, template.span, "cannot be used"))),
            ..Failure::new(FailureKind::Expression, format!("the matrix of job `{}` {reason}", job.name))
        })?;
        let names = matrix::names(&job.name, &cells);
        let steps: Vec<String> = job.steps(0).iter().map(|step| step.id.clone()).collect();
        let told = names.iter().map(|name| (name.clone(), steps.clone())).collect();
        self.emit(EventKind::JobExpanded { job: job.name.clone(), cells: told });
        let states = names.into_iter().zip(cells).map(|(name, cell)| CellState::new(name, Some(Value::Object(cell))));
        self.jobs[index].cells = states.collect();
        Ok(self.jobs[index].cells.len())
    }

    /// All cells have ended.
    pub(super) fn finish_job(&mut self, index: JobIndex, outcome: Outcome) -> Option<Input> {
        let plan = self.plan.clone();
        let job = plan.job(index)?;
        let cells = std::mem::take(&mut self.jobs[index].cells);
        let result = match cells.as_slice() {
            [cell] if cell.matrix.is_none() => json!({"outcome": outcome, "outputs": cell.outputs}),
            cells => {
                let mut outputs: Map<String, Value> = Map::new();
                for name in job.outputs.keys() {
                    let values = cells.iter().map(|cell| cell.outputs.get(name).cloned().unwrap_or_default());
                    outputs.insert(name.clone(), values.collect());
                }
                let cells = cells.iter().map(|cell| {
                    json!({"name": cell.name, "matrix": cell.matrix, "outcome": cell.outcome, "outputs": cell.outputs})
                });
                json!({"outcome": outcome, "outputs": outputs, "cells": cells.collect::<Value>()})
            }
        };
        self.needs.add(&job.name, result);
        None
    }

    /// An output that has no value is left out, so that what uses it fails at the place where it is used.
    pub(super) fn outputs(&mut self, cell: CellIndex, job: &Job, outcome: Outcome) -> IndexMap<String, Value> {
        let mut outputs = IndexMap::new();
        for (name, template) in &job.outputs {
            let expressions = template.expressions();
            let scope = match &job.call {
                Some(_) => self.scope_of_outputs(cell.job, job, &expressions),
                None => self.cell_scope(cell, job).map(|scope| self.with_results(cell, job, scope, &expressions)),
            };
            let value =
                scope.and_then(|scope| template.evaluate(&scope.context).map_err(|problem| self.failure(job, problem)));
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

    /// The scope with as much of `needs` as the expressions name.
    pub(super) fn with_needs(
        &self,
        index: JobIndex,
        job: &Job,
        mut scope: Scope,
        expressions: &[&Expression],
    ) -> Scope {
        let is_hook = index >= self.plan.jobs.len() || job.hook.is_some();
        let local = |need: &String| need.rsplit(sluice_plan::SEPARATOR).next().unwrap_or_default().to_owned();
        let needs = || if is_hook { self.plan.names_inside(job.inside) } else { job.needs.iter().map(local).collect() };
        let lookup = |name: &str| self.needs.get(&self.plan.qualified(job, name));
        values::add_results(&mut scope, "needs", expressions, lookup, needs);
        scope
    }

    pub(super) fn failure(&self, job: &Job, problem: Problem) -> Failure {
        values::failure(problem, &job.source)
    }
}
