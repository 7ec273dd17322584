//! Inputs and grants of one step, from values that are all known.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::{Failure, FailureKind, Place, Problem};

use crate::plan::{Decided, Step};
use crate::{codes, grants, seen};

/// Decides a step when it starts, by the same rules as the plan does. `with` is the evaluated template, `env` the
/// variables of the step.
///
/// # Errors
/// `FailureKind::InvalidInput`, or `Denied` by the policy, with the first problem's place and the others as causes.
pub fn decide(step: &Step, with: Value, env: IndexMap<String, String>) -> Result<Decided, Failure> {
    settle(step, with, env).map_err(|problems| {
        let kind = match problems.iter().any(|problem| problem.code == codes::POLICY) {
            true => FailureKind::Denied,
            false => FailureKind::InvalidInput,
        };
        let mut problems = problems.into_iter();
        let Some(first) = problems.next() else { return Failure::new(FailureKind::Internal, "the step has no inputs") };
        let place =
            first.labels.first().map(|label| Box::new(Place::new(&step.source, label.span, label.text.clone())));
        Failure {
            causes: first.causes.into_iter().chain(problems.map(|problem| problem.message)).collect(),
            help: first.help,
            place,
            ..Failure::new(kind, first.message)
        }
    })
}

/// Fills in defaults, checks the inputs, puts them into the grants, and asks the policies.
pub(crate) fn settle(step: &Step, mut with: Value, env: IndexMap<String, String>) -> Result<Decided, Vec<Problem>> {
    if with.is_null() {
        with = Value::Object(serde_json::Map::new());
    }
    step.plugin.inputs.fill(&mut with);
    let problems = step.plugin.inputs.check(step, &with);
    if !problems.is_empty() {
        return Err(problems);
    }
    let declaration = grants::declared(step, &with, &BTreeSet::new())?;
    let problems = seen::unconfirmed(step, &declaration.grants);
    if !problems.is_empty() {
        return Err(problems);
    }
    let grants = grants::effective(step, &declaration.grants);
    let problems = step.policies.refuses_grants(step, &grants);
    if problems.is_empty() { Ok(Decided { grants, inputs: with, env }) } else { Err(problems) }
}
