//! Values for a workflow's inputs.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use sluice_model::{Problem, Span, suggest};

use crate::codes;
use crate::document::{allowed, shown};
use crate::workflow::{Call, Input, InputType, Workflow};

impl InputType {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "list" => Self::List,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "list",
        }
    }

    /// With an article.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::List => "a list of text",
        }
    }

    pub(crate) fn accepts(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        }
    }

    /// Reads what stands behind `-i name=`. The error says what was expected.
    pub(crate) fn read(self, text: &str) -> Result<Value, &'static str> {
        let trimmed = text.trim();
        match self {
            Self::String => Ok(Value::String(text.to_owned())),
            Self::Integer => trimmed.parse::<i64>().map(Value::from).map_err(|_| "a whole number"),
            Self::Number => match trimmed.parse::<i64>() {
                Ok(value) => Ok(Value::from(value)),
                Err(_) => trimmed
                    .parse::<f64>()
                    .ok()
                    .and_then(serde_json::Number::from_f64)
                    .map(Value::Number)
                    .ok_or("a number"),
            },
            Self::Boolean => match trimmed {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err("`true` or `false`"),
            },
            Self::List if trimmed.is_empty() => Ok(Value::Array(Vec::new())),
            // A list whose items have commas can be given as JSON.
            Self::List if trimmed.starts_with('[') => serde_json::from_str::<Vec<String>>(trimmed)
                .map(Value::from)
                .map_err(|_| "a JSON list of text, or items with commas between them"),
            Self::List => Ok(Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect())),
        }
    }
}

/// Decides every input of the workflow: what was given with `-i name=value`, else its default. A name given twice
/// takes the last value.
///
/// # Errors
/// Everything wrong with what was given, at once: unknown names, values that do not fit, required inputs that are
/// missing. Labels point to where the workflow declares the input.
pub fn bind_inputs(workflow: &Workflow, given: &[(String, String)]) -> Result<IndexMap<String, Value>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut values: IndexMap<String, Value> = IndexMap::with_capacity(workflow.inputs.len());
    let last: IndexMap<&str, &str> = given.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    for name in last.keys().filter(|name| !workflow.inputs.contains_key(**name)) {
        let names = workflow.inputs.keys().map(String::as_str);
        let help = match suggest::closest(name, names.clone()) {
            Some(close) => format!("an input with a similar name exists: `-i {close}=...`"),
            None if workflow.inputs.is_empty() => "this workflow has no inputs".to_owned(),
            None => format!("inputs: {}", suggest::list(names)),
        };
        problems.push(
            Problem::new(codes::UNKNOWN_INPUT, format!("the workflow `{}` has no input `{name}`", workflow.name))
                .help(help),
        );
    }
    for (name, input) in &workflow.inputs {
        let value = match (last.get(name.as_str()), &input.default) {
            (Some(text), _) => read(name, input, text),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => {
                let what = input.description.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
                let example = input.options.first().map_or_else(|| format!("<{}>", input.kind.as_str()), shown);
                Err(Problem::new(codes::MISSING_INPUT, format!("the input `{name}` is required{what}"))
                    .at(input.span, "declared here without a default")
                    .help(format!("give it: -i {name}={example}")))
            }
        };
        match value {
            Ok(value) => {
                values.insert(name.clone(), value);
            }
            Err(problem) => problems.push(problem.within(&workflow.source)),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

fn read(name: &str, input: &Input, text: &str) -> Result<Value, Problem> {
    let problem = |message: String, label: String| Problem::new(codes::INVALID_INPUT, message).at(input.span, label);
    let value = input.kind.read(text).map_err(|expected| {
        problem(
            format!("`{text}` is no value for the input `{name}`: expected {expected}"),
            format!("declared here as `{}`", input.kind.as_str()),
        )
    })?;
    if input.options.is_empty() || allowed(&input.options, &value) {
        return Ok(value);
    }
    let options: Vec<String> = input.options.iter().map(shown).collect();
    let help = match suggest::closest(text, options.iter().map(String::as_str)) {
        Some(close) => format!("a similar option exists: -i {name}={close}"),
        None => format!("options: {}", suggest::list(options.iter().map(String::as_str))),
    };
    Err(problem(
        format!("`{text}` is not among the options of the input `{name}`"),
        "its options are declared here".into(),
    )
    .help(help))
}

/// What is wrong with a value that a call passes to an input, at the place where it is passed.
pub(crate) fn misfit(name: &str, input: &Input, value: &Value, at: Span) -> Option<Problem> {
    let may_be_null = input.default.as_ref().is_some_and(Value::is_null);
    if input.kind.accepts(value) {
        if input.options.is_empty() || allowed(&input.options, value) {
            return None;
        }
        let options: Vec<String> = input.options.iter().map(shown).collect();
        let message = format!("`{}` is not among the options of the input `{name}`", shown(value));
        return Some(
            Problem::new(codes::INVALID_INPUT, message)
                .at(at, "not an option")
                .help(format!("options: {}", suggest::list(options.iter().map(String::as_str)))),
        );
    }
    if value.is_null() && may_be_null {
        return None;
    }
    let found = describe(value);
    let problem = Problem::new(
        codes::INVALID_INPUT,
        format!("the input `{name}` is {}, and gets {found}", input.kind.describe()),
    )
    .at(at, format!("this is {found}"));
    Some(match (input.kind, value) {
        (InputType::String, Value::Number(_) | Value::Bool(_)) => problem.help(format!("quote it: \"{value}\"")),
        (InputType::Integer | InputType::Number | InputType::Boolean, Value::String(text))
            if input.kind.read(text).is_ok() =>
        {
            problem.help(match input.kind {
                InputType::Integer => "write it without quotes, or convert it: `${{ int(VALUE) }}`",
                InputType::Number => "write it without quotes, or convert it: `${{ double(VALUE) }}`",
                _ => "write it without quotes, or compare it: `${{ VALUE == \"true\" }}`",
            })
        }
        _ => problem,
    })
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// The values of the called workflow's inputs, in its order: those that are passed and known, else the default. What
/// has neither is left out.
///
/// # Errors
/// Every value that does not fit its input, at its place in the calling workflow.
pub fn bind_call(call: &Call, known: &Map<String, Value>) -> Result<IndexMap<String, Value>, Vec<Problem>> {
    let (mut values, mut problems) = (IndexMap::new(), Vec::new());
    let inputs = call.workflow.iter().flat_map(|called| &called.inputs);
    for (name, input) in inputs {
        let passed = call.with.get(name);
        match (passed, known.get(name), &input.default) {
            (Some(passed), Some(value), _) => {
                problems.extend(misfit(name, input, value, passed.span));
                values.insert(name.clone(), value.clone());
            }
            (None, _, Some(default)) => drop(values.insert(name.clone(), default.clone())),
            _ => {}
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}
