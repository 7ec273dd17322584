//! `inputs`.

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::Problem;
use sluice_model::yaml::{Key, Node, NodeValue, field};

use super::Document;
use crate::codes;
use crate::fields::{INPUT, INPUT_TYPES};
use crate::workflow::{Input, InputType};

impl Document<'_> {
    pub(super) fn inputs(&mut self, node: &Node) -> Option<IndexMap<String, Input>> {
        let entries = self.check.mapping(node, "`inputs`")?;
        let mut inputs = IndexMap::with_capacity(entries.len());
        for (key, node) in entries {
            self.name(&key.name, key.span, "an input");
            if let Some(input) = self.input(key, node) {
                inputs.insert(key.name.clone(), input);
            }
        }
        Some(inputs)
    }

    fn input(&mut self, key: &Key, node: &Node) -> Option<Input> {
        let place = format!("input `{}`", key.name);
        let what = |field: &str| format!("`{field}` of {place}");
        // `name:` with nothing behind it is a required text.
        let entries = if node.value == NodeValue::Null { &[] } else { self.fields(node, &place, &INPUT)? };
        let kind = match field(entries, "type") {
            Some(node) => self.choice(node, &what("type"), &INPUT_TYPES).and_then(InputType::parse),
            None => Some(InputType::String),
        };
        let description = self.optional(entries, "description", |document, node| {
            document.check.text(node, &what("description")).map(str::to_owned)
        });
        let options = self
            .optional(entries, "options", |document, node| document.check.sequence(node, &what("options")))
            .unwrap_or_default();
        let required = self.optional(entries, "required", |document, node| document.boolean(node, &what("required")));
        let default = field(entries, "default");
        // With a type that is not known nothing below can be judged; null keeps later checks from judging it too.
        let Some(kind) = kind else {
            let default = Some(Value::Null);
            return Some(Input { kind: InputType::String, description, default, options: Vec::new(), span: key.span });
        };
        // The options of a list are those of its items.
        let item = if kind == InputType::List { InputType::String } else { kind };
        for option in options {
            self.fits(option, item, &format!("an option of {place}"));
        }
        let options: Vec<Value> = options.iter().map(Node::to_json).collect();
        if let Some(node) = default
            && self.fits(node, kind, &format!("the default of {place}"))
            && !options.is_empty()
            && !allowed(&options, &node.to_json())
        {
            let listed = options.iter().map(|option| format!("`{}`", shown(option))).collect::<Vec<_>>().join(", ");
            self.check.report(
                Problem::new(codes::DEFAULT, format!("the default of {place} is not among its options"))
                    .at(node.span, "not an option")
                    .help(format!("options: {listed}")),
            );
        }
        if let (Some(true), Some(node)) = (required, default) {
            self.check.report(
                Problem::new(codes::CONFLICT, format!("{place} is required and has a default"))
                    .at(node.span, "would never be used")
                    .help("remove `required: true` or the default"),
            );
        }
        let default = default.map(Node::to_json).or((required == Some(false)).then_some(Value::Null));
        Some(Input { kind, description, default, options, span: key.span })
    }

    fn fits(&mut self, node: &Node, kind: InputType, what: &str) -> bool {
        if !self.literal(node, what) {
            return false;
        }
        if let (InputType::List, NodeValue::Sequence(items)) = (kind, &node.value)
            && let Some(item) = items.iter().find(|item| item.as_str().is_none())
        {
            let message = format!("an item of {what} is {}, not text", item.describe());
            self.check.report(Problem::new(codes::DEFAULT, message).at(item.span, "a `list` is one of text"));
            return false;
        }
        let fits = kind.accepts(&node.to_json());
        if !fits {
            let problem =
                Problem::new(codes::DEFAULT, format!("{what} is {}, not {}", node.describe(), kind.describe()))
                    .at(node.span, format!("expected {}", kind.describe()));
            let written = self.source.text().get(node.span.start..node.span.end).unwrap_or_default();
            self.check.report(match (kind, &node.value) {
                (InputType::String, NodeValue::Int(_) | NodeValue::Float(_) | NodeValue::Bool(_)) => {
                    problem.help(format!("quote it: \"{written}\""))
                }
                (InputType::List, NodeValue::String(_)) => problem.help(format!("write a list: [{written}]")),
                (_, NodeValue::String(text)) if kind.read(text).is_ok() => {
                    problem.help(format!("write it without quotes: {text}"))
                }
                _ => problem,
            });
        }
        fits
    }
}

/// Whether the options allow the value, or every item of it if it is a list.
pub fn allowed(options: &[Value], value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|item| options.contains(item)),
        _ => options.contains(value),
    }
}

/// As people would write it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
