//! The JSON Schemas inside a manifest, as far as their shape goes; the plan compiles them in earnest.

use serde_json::{Value, json};

use super::codes;
use crate::problem::Problem;
use crate::suggest;
use crate::yaml::{Checker, Node, NodeValue};

/// JSON Schema draft 2020-12, validation 6.1.1.
const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "array", "object", "null"];

/// The schema of an object without properties.
pub fn empty() -> Value {
    json!({"type": "object", "properties": {}, "additionalProperties": false})
}

/// Checks the schema of an object and completes it with `type` and `additionalProperties: false`.
pub fn object(node: &Node, name: &str, check: &mut Checker<'_>) -> Value {
    let what = format!("`{name}`");
    let Some(entries) = check.mapping(node, &what) else { return empty() };
    let known = [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "title",
        "description",
        "$defs",
        "dependentRequired",
        "if",
        "then",
        "else",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "minProperties",
        "maxProperties",
    ];
    for (key, value) in entries {
        let fault = match (key.name.as_str(), &value.value) {
            ("type", NodeValue::String(kind)) if kind == "object" => None,
            ("type", _) => Some(("its `type` is `object`", "write `type: object`")),
            ("additionalProperties", NodeValue::Bool(false)) => None,
            ("additionalProperties", _) => {
                Some(("unknown names are always refused", "remove `additionalProperties`, and name all properties"))
            }
            (name, _) if !known.contains(&name) => {
                Some(("not a keyword for an object here", "name inputs and outputs below `properties:`"))
            }
            _ => None,
        };
        if let Some((label, help)) = fault {
            let message = format!("`{}` of {what} is not right", key.name);
            check.report(
                Problem::new(codes::SCHEMA, message)
                    .at(if key.name == "type" { value.span } else { key.span }, label)
                    .help(help),
            );
        }
    }
    schema(node, &what, check);
    if let (Some(required), properties) = (node.get("required"), node.get("properties")) {
        for (name, span) in check.texts(required, &format!("`required` of {what}")) {
            if properties.is_none_or(|properties| properties.get(name).is_none()) {
                let message = format!("{what} requires `{name}`, which is no property");
                check.report(Problem::new(codes::SCHEMA, message).at(span, "not among `properties`"));
            }
        }
    }
    let mut schema = node.to_json();
    if let Value::Object(schema) = &mut schema {
        schema.insert("type".into(), "object".into());
        schema.entry("properties").or_insert_with(|| json!({}));
        schema.insert("additionalProperties".into(), false.into());
    }
    schema
}

/// Types that exist, properties that are schemas, references that stay in the document.
fn schema(node: &Node, what: &str, check: &mut Checker<'_>) {
    if matches!(node.value, NodeValue::Bool(_)) {
        return;
    }
    let Some(entries) = check.mapping(node, what) else { return };
    for (key, value) in entries {
        match key.name.as_str() {
            "type" => {
                for (kind, span) in check.texts(value, &format!("`type` of {what}")) {
                    if !TYPES.contains(&kind) {
                        let help = match suggest::closest(kind, TYPES) {
                            Some(name) => format!("a type with a similar name exists: `{name}`"),
                            None => format!("types: {}", suggest::list(TYPES)),
                        };
                        check.report(
                            Problem::new(codes::SCHEMA, format!("unknown type `{kind}` of {what}"))
                                .at(span, "not a type of JSON Schema")
                                .help(help),
                        );
                    }
                }
            }
            "properties" | "$defs" => {
                for (key, node) in check.mapping(value, &format!("`{}` of {what}", key.name)).unwrap_or_default() {
                    schema(node, &format!("`{}`", key.name), check);
                }
            }
            "items" | "additionalProperties" | "not" => schema(value, &format!("`{}` of {what}", key.name), check),
            "$ref" if value.as_str().is_none_or(|target| !target.starts_with('#')) => {
                check.report(
                    Problem::new(codes::SCHEMA, "a schema refers to another document")
                        .at(value.span, "only `#/...` is followed"),
                );
            }
            _ => {}
        }
    }
}
