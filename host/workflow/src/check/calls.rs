//! What calls pass: inputs that exist, required ones all there, values that fit as far as they are known.

use sluice_model::suggest::{closest, list};
use sluice_model::{Problem, Span};

use super::scope::Scope;
use super::types::{self, Type};
use crate::codes;
use crate::inputs::misfit;
use crate::template::{Template, TemplateValue};
use crate::workflow::{Call, Input, InputType, Job, Workflow};

/// `scope` is what `with` can see.
pub fn check(job: &Job, call: &Call, scope: &Scope<'_>) -> Vec<Problem> {
    let (Some(called), TemplateValue::Mapping(passed)) = (&call.workflow, &call.with.value) else { return Vec::new() };
    let mut problems = Vec::new();
    for (name, at, template) in passed {
        problems.extend(match called.inputs.get(name) {
            None => Some(unknown(called, call, name, *at)),
            Some(input) => value(name, input, template, scope),
        });
    }
    let required = called.inputs.iter().filter(|(_, input)| input.default.is_none());
    for (name, input) in required.filter(|(name, _)| !passed.iter().any(|(passed, _, _)| passed == *name)) {
        let about = input.description.as_deref().map(|text| format!("  # {text}")).unwrap_or_default();
        problems.push(
            Problem::new(codes::MISSING_INPUT, format!("job `{}` does not pass the input `{name}`", job.name.value))
                .at(call.file.span, format!("`{}` requires `{name}`", call.file.value))
                .help(format!("add it to the job:\n    with:\n      {name}: ...{about}")),
        );
    }
    problems
}

fn unknown(called: &Workflow, call: &Call, name: &str, at: Span) -> Problem {
    let file = &call.file.value;
    let names = || called.inputs.keys().map(String::as_str);
    let help = match closest(name, names()) {
        Some(similar) => format!("an input with a similar name exists: `{similar}`"),
        None if called.inputs.is_empty() => format!("`{file}` has no inputs"),
        None => format!("inputs of `{file}`: {}", list(names())),
    };
    Problem::new(codes::UNKNOWN_INPUT, format!("`{file}` has no input `{name}`"))
        .at(at, "not declared below `inputs` of that workflow")
        .help(help)
}

fn value(name: &str, input: &Input, template: &Template, scope: &Scope<'_>) -> Option<Problem> {
    if let Some(value) = template.literal() {
        return misfit(name, input, &value, template.span);
    }
    let found = match &template.value {
        TemplateValue::Expression(expression) => types::kind(expression, scope)?,
        TemplateValue::Text(_) => Type::Text,
        TemplateValue::Sequence(_) => Type::List,
        TemplateValue::Mapping(_) => Type::Mapping,
        TemplateValue::Literal(_) => return None,
    };
    let (fits, conversion) = match input.kind {
        InputType::String => (found == Type::Text, "string"),
        InputType::Integer => (found == Type::Integer, "int"),
        InputType::Number => (matches!(found, Type::Integer | Type::Number), "double"),
        InputType::Boolean => (found == Type::Boolean, "bool"),
        InputType::List => (found == Type::List, ""),
    };
    if fits {
        return None;
    }
    let message = format!("the input `{name}` is {}, and gets {}", input.kind.describe(), found.describe());
    let problem =
        Problem::new(codes::INVALID_INPUT, message).at(template.span, format!("this is {}", found.describe()));
    let scalar = matches!(found, Type::Boolean | Type::Integer | Type::Number | Type::Text);
    Some(match conversion {
        "" => problem.help("write a list, or make one: `${{ [VALUE] }}`"),
        conversion if scalar => problem.help(format!("convert it: `${{{{ {conversion}(VALUE) }}}}`")),
        _ => problem,
    })
}
