//! Validation errors in words.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;
use sluice_model::suggest::list;

/// Message (after `input x of step y`) and label.
pub fn describe(error: &ValidationError<'_>) -> (String, String) {
    let found = error.instance();
    let is = |label: String| (format!("is not right: {label}"), label);
    match error.kind() {
        Kind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(kind) => type_name(kind.as_str()).to_owned(),
                TypeKind::Multiple(kinds) => {
                    kinds.iter().map(|kind| type_name(kind.as_str())).collect::<Vec<_>>().join(" or ")
                }
            };
            (format!("must be {expected}"), format!("this is {}", value_name(found)))
        }
        Kind::Enum { options } => {
            let options = options.as_array().into_iter().flatten().map(short).collect::<Vec<_>>();
            (format!("must be one of {}", list(options.iter().map(String::as_str))), "not one of them".into())
        }
        Kind::Constant { expected_value } => (format!("must be `{}`", short(expected_value)), "something else".into()),
        Kind::Required { property } => (format!("lacks `{}`", short(property)), "incomplete".into()),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            (format!("has no {}", list(unexpected.iter().map(String::as_str))), "more than is known".into())
        }
        Kind::Pattern { pattern } => (format!("must match `{pattern}`"), "does not match".into()),
        Kind::Minimum { limit } => (format!("must be at least {limit}"), "too small".into()),
        Kind::Maximum { limit } => (format!("must be at most {limit}"), "too large".into()),
        Kind::ExclusiveMinimum { limit } => (format!("must be more than {limit}"), "too small".into()),
        Kind::ExclusiveMaximum { limit } => (format!("must be less than {limit}"), "too large".into()),
        Kind::MinLength { limit: 1 } => ("must not be empty".into(), "empty".into()),
        Kind::MinLength { limit } => (format!("must have at least {limit} characters"), "too short".into()),
        Kind::MaxLength { limit } => (format!("must have at most {limit} characters"), "too long".into()),
        Kind::MinItems { limit: 1 } => ("must not be empty".into(), "an empty list".into()),
        Kind::MinItems { limit } => (format!("must have at least {limit} items"), "too few".into()),
        Kind::MaxItems { limit } => (format!("must have at most {limit} items"), "too many".into()),
        Kind::UniqueItems => ("must not name anything twice".into(), "not unique".into()),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            ("has none of the allowed forms".into(), format!("this is {}", value_name(found)))
        }
        Kind::OneOfMultipleValid { .. } => ("has several of the allowed forms at once".into(), "ambiguous".into()),
        _ => is(error.to_string()),
    }
}

fn type_name(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
}

fn value_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
