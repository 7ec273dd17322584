//! Inputs of a step: defaults, and the check against the manifest's JSON Schema.

mod describe;
pub mod place;

use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};
use sluice_model::Problem;
use sluice_model::suggest::{closest, list};

use crate::codes;
use crate::plan::Step;
use place::Place;

/// The schema of a plugin's inputs, compiled once.
#[derive(Debug)]
pub struct Inputs {
    schema: Value,
    validator: Validator,
    /// Without what speaks of the object as a whole; for inputs of which a part is not known yet.
    partial: OnceLock<Option<Validator>>,
}

impl Inputs {
    /// # Errors
    /// Why the schema is not one.
    pub fn new(schema: Value) -> Result<Self, String> {
        let validator = jsonschema::draft202012::new(&schema)
            .map_err(|error| format!("at `{}`: {error}", error.instance_path()))?;
        Ok(Self { schema, validator, partial: OnceLock::new() })
    }

    /// Fills in defaults, also inside objects that are there.
    pub fn fill(&self, value: &mut Value) {
        fill(&self.schema, value);
    }

    /// Names of all inputs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Checks inputs that are wholly known.
    pub fn check(&self, step: &Step, value: &Value) -> Vec<Problem> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        self.validator.iter_errors(value).flat_map(|error| self.problems(step, &error)).collect()
    }

    /// Checks as much as is known: the names of all inputs and the values of some.
    pub fn check_known(&self, step: &Step, names: &[&str], known: &Map<String, Value>) -> Vec<Problem> {
        let unknown = names.iter().filter(|name| !self.names().any(|input| input == **name));
        let mut problems: Vec<Problem> = unknown.map(|name| self.unknown(step, name)).collect();
        let required = self.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missing =
            required.filter(|name| !names.contains(name) && self.schema["properties"][*name].get("default").is_none());
        problems.extend(missing.map(|name| self.missing(step, name)));
        let values: Map<String, Value> = known
            .iter()
            .filter(|(name, _)| self.names().any(|input| input == *name))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let value = Value::Object(values);
        if let Some(validator) = self.partial.get_or_init(|| self.make_partial()) {
            problems.extend(validator.iter_errors(&value).flat_map(|error| self.problems(step, &error)));
        }
        problems
    }

    fn make_partial(&self) -> Option<Validator> {
        let schema: Map<String, Value> = self
            .schema
            .as_object()?
            .iter()
            .filter(|(key, _)| matches!(key.as_str(), "type" | "properties" | "$defs"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        jsonschema::draft202012::new(&Value::Object(schema)).ok()
    }

    fn problems(&self, step: &Step, error: &ValidationError<'_>) -> Vec<Problem> {
        let pointer = error.instance_path().to_string();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } if pointer.is_empty() => {
                unexpected.iter().map(|name| self.unknown(step, name)).collect()
            }
            ValidationErrorKind::Required { property: Value::String(name) } if pointer.is_empty() => {
                vec![self.missing(step, name)]
            }
            ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::AnyOf { .. }
                if pointer.is_empty() && !self.alternatives().is_empty() =>
            {
                vec![self.missing_all(step)]
            }
            _ => {
                let place = match error.kind() {
                    ValidationErrorKind::AdditionalProperties { unexpected } => {
                        Place::find_key(&step.with, &pointer, unexpected)
                    }
                    _ => Place::find(&step.with, &pointer),
                };
                let (message, label) = describe::describe(error);
                let name = place.name.map_or("the inputs".to_owned(), |name| format!("input `{name}`"));
                let problem = Problem::new(codes::INVALID_INPUT, format!("{name} of step `{}` {message}", step.id))
                    .at(place.span.unwrap_or(step.uses_span), label);
                vec![match self.description(&pointer) {
                    Some(description) => problem.help(description),
                    None => problem,
                }]
            }
        }
    }

    fn unknown(&self, step: &Step, name: &str) -> Problem {
        let plugin = step.plugin.name();
        let help = match closest(name, self.names()) {
            Some(similar) => format!("an input with a similar name exists: `{similar}`"),
            None if self.names().next().is_none() => format!("`{plugin}` has no inputs"),
            None => format!("inputs of `{plugin}`: {}", list(self.names())),
        };
        Problem::new(codes::UNKNOWN_INPUT, format!("unknown input `{name}` in step `{}`", step.id))
            .at(place::key(&step.with, name).unwrap_or(step.uses_span), format!("not an input of `{plugin}`"))
            .help(help)
    }

    fn missing(&self, step: &Step, name: &str) -> Problem {
        let plugin = step.plugin.name();
        let about = self.schema["properties"][name]["description"]
            .as_str()
            .map(|text| format!("  # {text}"))
            .unwrap_or_default();
        Problem::new(codes::MISSING_INPUT, format!("step `{}` does not set the input `{name}`", step.id))
            .at(step.uses_span, format!("`{plugin}` requires `{name}`"))
            .help(format!("add it to the step:\n    with:\n      {name}: ...{about}"))
    }

    /// Inputs of which one is required.
    fn alternatives(&self) -> Vec<&str> {
        let forms = self.schema.get("oneOf").or_else(|| self.schema.get("anyOf")).and_then(Value::as_array);
        forms.into_iter().flatten().filter_map(|form| form["required"][0].as_str()).collect()
    }

    fn missing_all(&self, step: &Step) -> Problem {
        let alternatives = list(self.alternatives());
        Problem::new(codes::MISSING_INPUT, format!("step `{}` sets none of the inputs {alternatives}", step.id))
            .at(step.uses_span, format!("`{}` requires one of them", step.plugin.name()))
            .help(format!("add one of {alternatives} to `with`"))
    }

    /// What the manifest says of the input that the pointer leads into.
    fn description(&self, pointer: &str) -> Option<String> {
        let name = pointer.split('/').nth(1)?;
        let text = self.schema["properties"][name]["description"].as_str()?;
        Some(format!("`{name}`: {text}"))
    }
}

fn fill(schema: &Value, value: &mut Value) {
    let (Some(properties), Value::Object(object)) = (schema["properties"].as_object(), value) else { return };
    for (name, property) in properties {
        match object.get_mut(name) {
            Some(inner) => fill(property, inner),
            None => {
                if let Some(default) = property.get("default") {
                    object.insert(name.clone(), default.clone());
                }
            }
        }
    }
}
