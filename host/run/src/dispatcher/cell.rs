//! Begin and end of cells: the ways through a job.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::{Event, EventKind, Failure, Outcome};
use sluice_plan::{Job, Scope};
use sluice_workflow::template::Expression;
use tokio::time::Instant;

use super::Dispatcher;
use super::items::ItemsState;
use super::timers::Timer;
use super::values::{self, Results};
use crate::runner::StepRunner;
use crate::scheduler::{CellIndex, Input};

/// What is known of one cell beyond the scheduler's view.
#[derive(Debug, Default)]
pub struct CellState {
    /// What people call it: the job's name, with the values of its matrix.
    pub name: String,
    pub matrix: Option<Value>,
    /// `None` for one that never began.
    started: Option<u64>,
    /// With the job's variables; made when it is first needed.
    scope: Option<Result<Scope, Failure>>,
    /// Of the steps that have ended.
    pub steps: Results,
    /// Those of the step that runs, if it has any.
    pub items: Option<ItemsState>,
    pub outcome: Option<Outcome>,
    pub outputs: IndexMap<String, Value>,
}

impl CellState {
    pub fn new(name: String, matrix: Option<Value>) -> Self {
        Self { name, matrix, ..Self::default() }
    }
}

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    pub(super) fn cell(&mut self, cell: CellIndex) -> &mut CellState {
        &mut self.jobs[cell.job].cells[cell.cell]
    }

    pub(super) fn begin_cell(&mut self, cell: CellIndex) -> Option<Input> {
        let timeout = self.plan.job(cell.job)?.timeout_ms;
        let now = self.now();
        self.cell(cell).started = Some(now);
        if let Some(timeout) = timeout {
            self.timers.set(Instant::now() + Duration::from_millis(timeout), Timer::Cell(cell));
        }
        let job = self.cell(cell).name.clone();
        self.emit_at(now, EventKind::JobStarted { job });
        None
    }

    pub(super) fn finish_cell(&mut self, cell: CellIndex, outcome: Outcome) -> Option<Input> {
        let plan = self.plan.clone();
        let job = plan.job(cell.job)?;
        let began = self.cell(cell).started;
        let outputs = if began.is_some() { self.outputs(cell, job, outcome) } else { IndexMap::new() };
        let now = self.now();
        let state = self.cell(cell);
        // Nothing looks at them any more.
        (state.scope, state.steps, state.items) = (None, Results::default(), None);
        state.outcome = Some(outcome);
        state.outputs.clone_from(&outputs);
        let name = state.name.clone();
        self.so_far.job(&name, outcome);
        let duration_ms = now.saturating_sub(began.unwrap_or(now));
        self.emit_at(now, EventKind::JobFinished { job: name, outcome, duration_ms, outputs });
        None
    }

    /// The scope with the values of the matrix and the job's variables.
    pub(super) fn cell_scope(&mut self, cell: CellIndex, job: &Job) -> Result<Scope, Failure> {
        if let Some(scope) = &self.cell(cell).scope {
            return scope.clone();
        }
        let matrix = self.cell(cell).matrix.clone();
        let scope = self.workflow_scope(job).and_then(|mut scope| {
            scope.context.set_some("matrix", matrix.as_ref());
            let expressions: Vec<_> = job.env.values().flat_map(|template| template.expressions()).collect();
            let scope = self.with_needs(cell.job, job, scope, &expressions);
            scope.enter(&job.env).map_err(|problem| self.failure(job, problem))
        });
        self.cell(cell).scope = Some(scope.clone());
        scope
    }

    /// The scope with as much of `needs` and `steps` as the expressions name.
    pub(super) fn with_results(&self, cell: CellIndex, job: &Job, scope: Scope, expressions: &[&Expression]) -> Scope {
        let mut scope = self.with_needs(cell.job, job, scope, expressions);
        let steps = &self.jobs[cell.job].cells[cell.cell].steps;
        values::add_results(&mut scope, "steps", expressions, |name| steps.get(name), || steps.names());
        scope
    }
}
