//! The group of runs that the run will belong to.

use serde_json::Value;
use sluice_model::{Problem, suggest};
use sluice_workflow::concurrency;

use super::{Planner, known};
use crate::codes;
use crate::plan::Concurrency;
use crate::scope::Scope;

/// Longest name of a group, in characters.
const MAX_NAME: usize = 200;

impl Planner<'_> {
    /// `None` without a group, or if a problem has been told.
    pub(super) fn concurrency(
        &mut self,
        declared: Option<&concurrency::Concurrency>,
        scope: Option<&Scope>,
    ) -> Option<Concurrency> {
        let declared = declared?;
        let template = &declared.group;
        let expressions = template.expressions();
        let Some(scope) = scope.filter(|scope| known(scope, &expressions)) else {
            // The check of names lets nothing else pass; variables that could not be evaluated have been told.
            let roots = suggest::list(expressions.iter().flat_map(|own| own.roots()).map(String::as_str));
            if self.problems.is_empty() {
                let problem = Problem::new(codes::GROUP, "the group of `concurrency` is not known before the run");
                self.problems.push(problem.at(template.span, format!("reads {roots}")));
            }
            return None;
        };
        let value = template.evaluate(&scope.context).map_err(|problem| self.problems.push(problem)).ok()?;
        let group = match value {
            Value::String(text) => Ok(text),
            Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
            Value::Null => Err("null"),
            Value::Array(_) => Err("a list"),
            Value::Object(_) => Err("a mapping"),
        };
        let group = group.map_err(str::to_owned).and_then(|group| match () {
            () if group.trim().is_empty() => Err("empty".to_owned()),
            () if group.chars().any(char::is_control) => Err("text with control characters".to_owned()),
            () if group.chars().count() > MAX_NAME => Err(format!("longer than {MAX_NAME} characters")),
            () => Ok(group),
        });
        match group {
            Ok(group) => {
                let (when_busy, wait_timeout_ms) = (declared.when_busy, declared.wait_timeout_ms);
                Some(Concurrency { group, when_busy, wait_timeout_ms, span: template.span })
            }
            Err(what) => {
                let problem = Problem::new(codes::GROUP, format!("the group of `concurrency` is {what}"));
                self.problems.push(problem.at(template.span, "no name for a group"));
                None
            }
        }
    }
}
