//! Calls: what the workflow inside gets, and nothing else; what comes out of it.

use serde_json::Value;
use sluice_model::{Event, Failure, FailureKind, Place};
use sluice_plan::{Call, Job, Scope};
use sluice_workflow::bind_call;
use sluice_workflow::template::Expression;

use super::{Dispatcher, values};
use crate::runner::StepRunner;
use crate::scheduler::{Input, JobIndex};

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    /// Asks the condition of a call, and decides its inputs. If that fails, so does every job inside.
    pub(super) fn decide_call(&mut self, index: JobIndex, job: &Job, call: &Call) -> Input {
        let condition = match self.jobs[index].failure.clone() {
            Some(failure) => Err(failure),
            None => self.job_condition(index, job),
        };
        let scope = match condition {
            Ok(false) => return Input::Decided { job: index, holds: false, cells: 0 },
            Ok(true) => self.scope_inside(index, job, call),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &scope {
            let inside = self.plan.jobs.values().enumerate().filter(|(_, other)| other.inside == Some(index));
            for (other, _) in inside {
                self.jobs[other].failure = Some(failure.clone());
            }
        }
        self.jobs[index].inside = Some(scope);
        Input::Decided { job: index, holds: true, cells: 1 }
    }

    /// The called workflow's own inputs and variables; of its caller only what stands in `with`.
    fn scope_inside(&self, index: JobIndex, job: &Job, call: &Call) -> Result<Scope, Failure> {
        let inputs = match &call.inputs {
            Some(known) => known.clone(),
            None => {
                let with = &call.call.with;
                let scope = self.with_needs(index, job, self.workflow_scope(job)?, &with.expressions());
                let values = with.evaluate(&scope.context).map_err(|problem| values::failure(problem, &job.source))?;
                let values = values.as_object().cloned().unwrap_or_default();
                bind_call(&call.call, &values).map_err(|problems| misfit(problems, job))?
            }
        };
        let mut context = self.plan.context.clone();
        context["inputs"] = Value::Object(inputs.into_iter().collect());
        let called = &call.workflow;
        Scope::new(&context).enter(&called.env).map_err(|problem| values::failure(problem, &called.source))
    }

    /// The scope of the workflow that the job belongs to.
    pub(super) fn workflow_scope(&self, job: &Job) -> Result<Scope, Failure> {
        match job.inside.map(|call| &self.jobs[call].inside) {
            None => self.scope.clone(),
            Some(Some(scope)) => scope.clone(),
            Some(None) => Err(Failure::new(FailureKind::Internal, "its call has not begun")),
        }
    }

    /// What outputs of a call can see: the results of all jobs inside.
    pub(super) fn scope_of_outputs(
        &self,
        index: JobIndex,
        job: &Job,
        expressions: &[&Expression],
    ) -> Result<Scope, Failure> {
        let scope = self.jobs[index].inside.clone();
        let mut scope = scope.unwrap_or_else(|| Err(Failure::new(FailureKind::Internal, "the call has not begun")))?;
        let lookup = |name: &str| self.needs.get(&format!("{}{}{name}", job.name, sluice_plan::SEPARATOR));
        values::add_results(&mut scope, "needs", expressions, lookup, || self.plan.names_inside(Some(index)));
        Ok(scope)
    }
}

/// Inputs that turned out not to fit when the call began.
fn misfit(problems: Vec<sluice_model::Problem>, job: &Job) -> Failure {
    let mut problems = problems.into_iter();
    let Some(first) = problems.next() else { return Failure::new(FailureKind::Internal, "the call has no inputs") };
    let place = first.labels.first().map(|label| Box::new(Place::new(&job.source, label.span, label.text.clone())));
    Failure {
        causes: problems.map(|problem| problem.message).collect(),
        help: first.help,
        place,
        ..Failure::new(FailureKind::InvalidInput, first.message)
    }
}
