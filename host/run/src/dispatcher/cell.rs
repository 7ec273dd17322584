//! Begin and end of cells: the ways through a job.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::{Event, EventKind, Failure, Outcome};
use sluice_plan::{Job, Scope};
use sluice_workflow::template::Expression;
use sluice_workflow::workflow::Flag;
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
    /// Why nobody can tell whether it may fail: its first step fails with this.
    pub failure: Option<Failure>,
    /// Of the steps that have ended.
    pub steps: Results,
    /// Those of the step that runs, if it has any.
    pub items: Option<ItemsState>,
    /// What `services` is, and why one has no port.
    pub services: Option<Value>,
    pub no_port: Option<Failure>,
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
        self.give_ports(cell);
        if let Some(timeout) = timeout {
            self.timers.set(Instant::now() + Duration::from_millis(timeout), Timer::Cell(cell));
        }
        let (job, name) = (self.cell(cell).name.clone(), self.title(cell));
        self.emit_at(now, EventKind::JobStarted { job, name });
        self.cell_may_fail(cell)
    }

    /// What people call the cell, if the workflow says; as it stands there if it has no value.
    fn title(&mut self, cell: CellIndex) -> Option<String> {
        let plan = self.plan.clone();
        let job = plan.job(cell.job)?;
        let planned = job.cell(cell.cell)?;
        let evaluated = planned.open_title.as_ref().and_then(|template| {
            let scope = self.cell_scope(cell, job).ok()?;
            let scope = self.with_needs(cell.job, job, scope, &template.expressions());
            template.evaluate_line(&scope.context).ok()
        });
        evaluated.or_else(|| planned.title.clone())
    }

    /// Tells the scheduler if the cell may fail. A cell of which that cannot be told fails.
    fn cell_may_fail(&mut self, cell: CellIndex) -> Option<Input> {
        let plan = self.plan.clone();
        let job = plan.job(cell.job)?;
        let condition = match &job.cell(cell.cell)?.continue_on_error {
            Flag::Known(known) => return known.then_some(Input::MayFail { cell }),
            Flag::Asked(condition) => condition,
        };
        let asked = self.cell_scope(cell, job).and_then(|scope| {
            let scope = self.with_needs(cell.job, job, scope, &[&condition.expression]);
            condition.holds(&scope.context).map_err(|problem| self.failure(job, problem))
        });
        match asked {
            Ok(holds) => holds.then_some(Input::MayFail { cell }),
            Err(failure) => {
                self.cell(cell).failure = Some(failure);
                None
            }
        }
    }

    pub(super) fn finish_cell(&mut self, cell: CellIndex, outcome: Outcome) -> Option<Input> {
        let plan = self.plan.clone();
        let job = plan.job(cell.job)?;
        let began = self.cell(cell).started;
        let outputs = if began.is_some() { self.outputs(cell, job, outcome) } else { IndexMap::new() };
        let now = self.now();
        let state = self.cell(cell);
        // Nothing looks at them any more.
        (state.scope, state.steps, state.items, state.services) = (None, Results::default(), None, None);
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
        let CellState { matrix, services, .. } = self.cell(cell);
        let (matrix, services) = (matrix.clone(), services.clone());
        let scope = self.workflow_scope(job).and_then(|mut scope| {
            scope.context.set_some("matrix", matrix.as_ref());
            scope.context.set_some("services", services.as_ref());
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
