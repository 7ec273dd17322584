//! `env`, templates, and the small literals: booleans, durations.

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::yaml::{Node, NodeValue};
use sluice_model::{Problem, Span};

use super::Document;
use crate::template::{Template, TemplateValue};
use crate::{codes, quantity};

impl Document<'_> {
    pub(super) fn template(&mut self, node: &Node) -> Template {
        self.templates.node(node, &mut self.check.problems)
    }

    pub(super) fn variables(&mut self, node: &Node, what: &str) -> IndexMap<String, Template> {
        let mut variables = IndexMap::new();
        for (key, node) in self.check.mapping(node, what).unwrap_or_default() {
            self.variable_name(&key.name, key.span, "an environment variable");
            let text = match &node.value {
                NodeValue::Sequence(_) | NodeValue::Mapping(_) => {
                    self.check.wrong_type(node, &format!("the variable `{}`", key.name), "text, a number or a boolean");
                    continue;
                }
                NodeValue::String(_) => None,
                NodeValue::Null => Some(String::new()),
                // As it was written: `1.10` is not `1.1` in an environment.
                _ => self.source.text().get(node.span.start..node.span.end).map(str::to_owned),
            };
            let template = match text {
                Some(text) => Template { span: node.span, value: TemplateValue::Literal(Value::String(text)) },
                None => self.template(node),
            };
            variables.insert(key.name.clone(), template);
        }
        variables
    }

    /// Checks the name of `of` ("an environment variable").
    pub(super) fn variable_name(&mut self, name: &str, span: Span, of: &str) -> bool {
        let valid = !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !valid {
            let problem = Problem::new(codes::NAME, format!("`{}` cannot be the name of {of}", name.escape_debug()))
                .at(span, "names have letters, digits and `_`, and do not begin with a digit");
            let fixed = name.replace(['-', '.', ' '], "_");
            let usable = fixed != name && fixed.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            self.check.report(if usable { problem.help(format!("for example `{fixed}`")) } else { problem });
        }
        valid
    }

    pub(super) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        if !self.literal(node, what) {
            return None;
        }
        self.check.boolean(node, what)
    }

    /// In milliseconds.
    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Option<u64> {
        if !self.literal(node, what) {
            return None;
        }
        let text = self.written(node, what, "a duration")?;
        quantity::duration_ms(text)
            .map_err(|reason| {
                self.check.report(
                    Problem::new(codes::DURATION, format!("`{text}` is no duration for {what}"))
                        .at(node.span, reason)
                        .help("for example `90s`, `10m` or `1h30m`"),
                );
            })
            .ok()
    }

    /// In bytes.
    pub(super) fn size(&mut self, node: &Node, what: &str) -> Option<u64> {
        if !self.literal(node, what) {
            return None;
        }
        let text = self.written(node, what, "a size")?;
        quantity::size_bytes(text)
            .map_err(|reason| {
                self.check.report(
                    Problem::new(codes::SIZE, format!("`{text}` is no size for {what}"))
                        .at(node.span, reason)
                        .help("for example `64MiB` or `500kB`"),
                );
            })
            .ok()
    }

    pub(super) fn count(&mut self, node: &Node, what: &str) -> Option<u64> {
        match node.value {
            NodeValue::Int(value) if value > 0 => u64::try_from(value).ok(),
            NodeValue::Int(_) => {
                self.check.report(
                    Problem::new(codes::COUNT, format!("{what} is not above zero"))
                        .at(node.span, "a whole number above zero is needed"),
                );
                None
            }
            _ => {
                self.check.wrong_type(node, what, "a whole number");
                None
            }
        }
    }

    /// Text or a number, as it was written, so that `timeout: 10` is told about its unit.
    pub(super) fn written<'n>(&mut self, node: &'n Node, what: &str, expected: &str) -> Option<&'n str>
    where
        Self: 'n,
    {
        if let Some(text) = node.as_str() {
            return Some(text);
        }
        if matches!(node.value, NodeValue::Int(_) | NodeValue::Float(_)) {
            let number = self.source.text().get(node.span.start..node.span.end).unwrap_or_default();
            let unit = if expected == "a size" { "MiB" } else { "s" };
            let code = if expected == "a size" { codes::SIZE } else { codes::DURATION };
            self.check.report(
                Problem::new(code, format!("`{number}` is no {} for {what}", &expected[2..]))
                    .at(node.span, "it has no unit")
                    .help(format!("for example `{number}{unit}`")),
            );
            return None;
        }
        self.check.wrong_type(node, what, expected);
        None
    }
}
