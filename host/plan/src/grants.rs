//! `declared ∩ narrowed`: what a step may touch.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sluice_model::grant::{Capability, Grant};
use sluice_model::{Grants, Problem};
use sluice_workflow::Template;
use sluice_workflow::template::{Context, Piece, TemplateValue};

use crate::codes;
use crate::inputs::place;
use crate::plan::Step;
use crate::plugin::Declared;

mod example;

pub use example::example;

/// What the plugin declares for these inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Declaration {
    pub grants: Grants,
    /// Capabilities that depend on inputs which are not known yet.
    pub undecided: BTreeSet<Capability>,
}

/// Puts inputs into the manifest's grants. `unknown` names inputs whose values are not known yet. Nothing for a plain
/// command, which declares nothing.
///
/// # Errors
/// Every grant that cannot be read, at the input that spoils it.
pub fn declared(step: &Step, inputs: &Value, unknown: &BTreeSet<&str>) -> Result<Declaration, Vec<Problem>> {
    let mut declaration = Declaration::default();
    let mut problems = Vec::new();
    let mut context = None;
    for declared in step.plugin.declared.iter().flatten() {
        if declared.depends_on(unknown) {
            declaration.undecided.insert(declared.capability);
            continue;
        }
        let context = context.get_or_insert_with(|| Context::new().with("with", &complete(step, inputs)));
        match spellings(&declared.template, context) {
            Ok(mut spellings) => {
                // What an expression makes of a mapping comes in any order; the same inputs give the same plan.
                spellings.sort_unstable();
                for spelling in spellings {
                    match Grant::parse(declared.capability, &spelling) {
                        Ok(Grant::Secret(grant)) if grant.reveals() && !declared.asks_to_see => {
                            let reason = "only the manifest itself can ask for the value of a secret, not an input";
                            problems.push(bad(step, declared, &spelling, reason.to_owned()));
                        }
                        Ok(grant) => declaration.grants.add(public(grant)),
                        Err(reason) => problems.push(bad(step, declared, &spelling, reason)),
                    }
                }
            }
            Err(problem) => problems.push(bad(step, declared, "", problem.message)),
        }
    }
    if problems.is_empty() { Ok(declaration) } else { Err(problems) }
}

/// What the step may touch: of the capabilities that its `grants` name, what both sides allow; of the others, what is
/// declared. A plain command gets what its step names.
pub fn effective(step: &Step, declared: &Grants) -> Grants {
    if step.plugin.declared.is_none() {
        return step.narrowed.clone();
    }
    let both = declared.intersect(&step.narrowed);
    let mut effective = Grants::default();
    for grant in declared.iter().filter(|grant| !step.narrows.contains(&grant.capability())) {
        effective.add(grant);
    }
    for grant in both.iter() {
        effective.add(grant);
    }
    effective
}

/// Private addresses are for the workflow to allow, not for a plugin or an input.
fn public(grant: Grant) -> Grant {
    match grant {
        Grant::Http(mut grant) => {
            grant.private = false;
            Grant::Http(grant)
        }
        Grant::Tcp(mut grant) => {
            grant.private = false;
            Grant::Tcp(grant)
        }
        other => other,
    }
}

/// Inputs that are absent read as null, so that a manifest can name them.
fn complete(step: &Step, inputs: &Value) -> Value {
    let mut all: Map<String, Value> = step.plugin.inputs.names().map(|name| (name.to_owned(), Value::Null)).collect();
    for (name, value) in inputs.as_object().into_iter().flatten() {
        all.insert(name.clone(), value.clone());
    }
    Value::Object(all)
}

/// A list stands for one grant per item; null and empty text stand for none.
fn spellings(template: &Template, context: &Context) -> Result<Vec<String>, Problem> {
    let single;
    let pieces = match &template.value {
        TemplateValue::Text(pieces) => pieces,
        TemplateValue::Expression(expression) => {
            single = [Piece::Expression(expression.clone())];
            &single[..]
        }
        _ => {
            let text = template.evaluate(context)?;
            return Ok(text.as_str().map(str::to_owned).into_iter().collect());
        }
    };
    let mut spellings = vec![String::new()];
    for piece in pieces {
        let values = match piece {
            Piece::Literal(text) => vec![text.clone()],
            Piece::Expression(expression) => texts(expression.evaluate(context)?).map_err(|kind| {
                Problem::new(codes::BAD_GRANT, format!("`{}` is {kind}, which is no part of a grant", expression.text))
            })?,
        };
        spellings =
            spellings.iter().flat_map(|front| values.iter().map(move |value| format!("{front}{value}"))).collect();
    }
    Ok(spellings)
}

fn texts(value: Value) -> Result<Vec<String>, &'static str> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text]),
        Value::Number(number) => Ok(vec![number.to_string()]),
        Value::Array(items) => Ok(items.into_iter().map(texts).collect::<Result<Vec<_>, _>>()?.concat()),
        Value::Bool(_) => Err("a boolean"),
        Value::Object(_) => Err("a mapping"),
    }
}

fn bad(step: &Step, declared: &Declared, spelling: &str, reason: String) -> Problem {
    let input = declared.inputs.iter().find_map(|name| Some((name, step.with.get(name)?.span)));
    let (what, span) = match input {
        Some((name, span)) => (format!("input `{name}` of step `{}`", step.id), span),
        None => (format!("step `{}`", step.id), step.uses_span),
    };
    let message = match spelling {
        "" => format!("{what} leads to no `{}` that can be granted", declared.capability),
        spelling => format!("{what} leads to `{spelling}`, which cannot be granted as `{}`", declared.capability),
    };
    let reasons: Vec<_> = step.manifest.iter().flat_map(|manifest| &manifest.capabilities).collect();
    let why = reasons.iter().find(|declaration| declaration.capability == declared.capability);
    let problem = Problem::new(codes::BAD_GRANT, message).at(span, reason);
    match why {
        Some(why) => {
            problem.help(format!("`{}` asks for `{}`: {}", step.plugin.name(), declared.capability, why.reason))
        }
        None => problem,
    }
}

/// Where the inputs stand that decide a capability.
pub fn deciding_span(step: &Step, capability: Capability, unknown: &BTreeSet<&str>) -> sluice_model::Span {
    let declared = step.plugin.declared.iter().flatten().filter(|declared| declared.capability == capability);
    let names = declared.flat_map(|declared| &declared.inputs).filter(|name| unknown.contains(name.as_str()));
    let mut spans =
        names.filter_map(|name| step.with.get(name).map(|value| value.span).or(place::key(&step.with, name)));
    spans.next().unwrap_or(step.uses_span)
}
