//! What expressions see of the run: `needs`, `steps` and the scope of a job.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use sluice_model::{Failure, FailureKind, Place, Problem, Source};
use sluice_plan::Scope;
use sluice_workflow::template::Expression;

/// Results by name, as `needs` and `steps` show them.
#[derive(Debug, Default)]
pub struct Results {
    by_name: IndexMap<String, Value>,
}

impl Results {
    /// `result` has `outcome` and `outputs`, and `cells` or `items` where there are any.
    pub fn add(&mut self, name: &str, result: Value) {
        self.by_name.insert(name.to_owned(), result);
    }

    pub fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.by_name.get(name)
    }
}

/// Adds the root to the scope with no more in it than the expressions name, so that a step costs the same however
/// many came before it. `lookup` finds one result, `all` lists every name.
pub fn add_results<'v>(
    scope: &mut Scope,
    root: &str,
    expressions: &[&Expression],
    lookup: impl Fn(&str) -> Option<&'v Value>,
    all: impl FnOnce() -> Vec<String>,
) {
    let paths = expressions.iter().flat_map(|expression| &expression.references);
    let paths: Vec<_> = paths.map(|reference| &reference.path).filter(|path| path[0] == root).collect();
    if paths.is_empty() {
        return;
    }
    let names: BTreeSet<String> = match paths.iter().all(|path| path.len() > 1) {
        true => paths.iter().map(|path| path[1].clone()).collect(),
        false => all().into_iter().collect(),
    };
    let values = names.into_iter().filter_map(|name| lookup(&name).map(|value| (name.clone(), value.clone())));
    scope.context.set(root, &Value::Object(values.collect::<Map<_, _>>()));
}

/// A problem that turned up while the run was under way.
pub fn failure(problem: Problem, source: &Source) -> Failure {
    let place = problem.labels.first().map(|label| Box::new(Place::new(source, label.span, label.text.clone())));
    Failure {
        causes: problem.causes,
        help: problem.help,
        place,
        ..Failure::new(FailureKind::Expression, problem.message)
    }
}
