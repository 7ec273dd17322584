//! The items of a step with `for-each`.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use sluice_model::event::FindingCounts;
use sluice_model::{Event, EventKind, Failure, FailureKind, Outcome, Place};
use sluice_plan::{Job, Step, for_each};

use super::{Dispatcher, planned};
use crate::runner::{StepReport, StepRunner};
use crate::scheduler::{Input, StepIndex};

/// The items of the step that runs, and what became of them.
#[derive(Debug)]
pub struct ItemsState {
    pub step: usize,
    pub values: Vec<Value>,
    results: Vec<Option<(Outcome, IndexMap<String, Value>)>>,
}

impl ItemsState {
    /// What `steps.ID` is once all items have ended; `None` before that.
    fn result(&self) -> Option<Value> {
        let results: Vec<_> = self.results.iter().map(Option::as_ref).collect::<Option<_>>()?;
        let worst = |outcome: Outcome| results.iter().any(|(own, _)| *own == outcome);
        let bad = [Outcome::Failed, Outcome::Unknown, Outcome::Cancelled, Outcome::AllowedToFail];
        let outcome = bad.into_iter().find(|outcome| worst(*outcome)).unwrap_or(Outcome::Passed);
        let mut outputs: Map<String, Value> = Map::new();
        for name in results.iter().flat_map(|(_, outputs)| outputs.keys()) {
            if !outputs.contains_key(name) {
                let values = results.iter().map(|(_, outputs)| outputs.get(name).cloned().unwrap_or_default());
                outputs.insert(name.clone(), values.collect());
            }
        }
        let items = self.values.iter().zip(results);
        let items =
            items.map(|(item, (outcome, outputs))| json!({"item": item, "outcome": outcome, "outputs": outputs}));
        Some(json!({"outcome": outcome, "outputs": outputs, "items": items.collect::<Value>()}))
    }
}

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    /// Asks the step's condition and makes its list.
    pub(super) fn spread_step(&mut self, index: StepIndex) -> Option<Input> {
        let plan = self.plan.clone();
        let (job, steps) = planned(&plan, index.cell)?;
        let step = &steps[index.step];
        let items = match self.holds(index, job, step) {
            Ok(Some(reason)) => return Some(self.end_unstarted(index, step, reason)),
            Ok(None) => self.items(index, job, step),
            Err(failure) => Err(failure),
        };
        match items {
            Ok(values) => Some(self.tell_items(index, step, values)),
            Err(failure) => {
                let started = self.now();
                self.tell_started(index, step, 1, started);
                let report = StepReport { failure: Some(failure), outputs: IndexMap::new() };
                Some(self.conclude(index, started, FindingCounts::default(), report))
            }
        }
    }

    fn items(&mut self, index: StepIndex, job: &Job, step: &Step) -> Result<Vec<Value>, Failure> {
        let Some(for_each) = &step.for_each else { return Ok(Vec::new()) };
        if let Some(items) = &for_each.items {
            return Ok(items.iter().map(|(item, _)| item.clone()).collect());
        }
        let scope = self.cell_scope(index.cell, job)?;
        let scope = self.with_results(index.cell, job, scope, &for_each.list.expressions());
        let value = for_each.list.evaluate(&scope.context).map_err(|problem| self.failure(job, problem))?;
        for_each::items(value).map_err(|reason| Failure {
            place: Some(Box::new(Place::new(&step.source, for_each.list.span, "no list of items"))),
            ..Failure::new(FailureKind::Expression, format!("`for-each` of step `{}` {reason}", step.id))
        })
    }

    fn tell_items(&mut self, index: StepIndex, step: &Step, values: Vec<Value>) -> Input {
        let count = values.len();
        let id = self.step_id(index.cell, step, None);
        let items = (0..count).map(|item| format!("{}[{item}]", step.id)).collect();
        self.emit(EventKind::StepExpanded { id, items });
        let results = vec![None; count];
        let state = ItemsState { step: index.step, values, results };
        if count == 0 {
            let nothing = json!({"outcome": Outcome::Passed, "outputs": {}, "items": []});
            self.cell(index.cell).steps.add(&step.id, nothing);
        }
        self.cell(index.cell).items = Some(state).filter(|_| count > 0);
        Input::Items { id: index, count }
    }

    /// Remembers how an item, or a step without items, ended.
    pub(super) fn add_result(
        &mut self,
        index: StepIndex,
        step: &Step,
        outcome: Outcome,
        outputs: &IndexMap<String, Value>,
    ) {
        let cell = self.cell(index.cell);
        match cell.items.as_mut().filter(|items| items.step == index.step) {
            None => cell.steps.add(&step.id, json!({"outcome": outcome, "outputs": outputs})),
            Some(items) => {
                if let Some(result) = items.results.get_mut(index.item) {
                    *result = Some((outcome, outputs.clone()));
                }
                if let Some(result) = items.result() {
                    cell.steps.add(&step.id, result);
                }
            }
        }
    }

    /// The item that the step is for, if it has items.
    pub(super) fn item(&self, index: StepIndex) -> Option<&Value> {
        let cell = &self.jobs[index.cell.job].cells[index.cell.cell];
        cell.items.as_ref().filter(|items| items.step == index.step)?.values.get(index.item)
    }
}
