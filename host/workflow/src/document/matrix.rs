//! `matrix` and `for-each`: lists that are written out or come from an expression.

use sluice_model::Problem;
use sluice_model::yaml::{Node, NodeValue};

use super::Document;
use crate::template::{Template, TemplateValue};
use crate::{codes, matrix};

impl Document<'_> {
    /// Lists by name, or one expression. What is written out is checked here.
    pub(super) fn matrix(&mut self, node: &Node, what: &str) -> Option<Template> {
        let template = self.template(node);
        match &template.value {
            TemplateValue::Expression(_) => return Some(template),
            TemplateValue::Mapping(entries) if entries.is_empty() => {
                self.check.report(
                    Problem::new(codes::EMPTY_LIST, format!("{what} is empty"))
                        .at(node.span, "at least one list is needed"),
                );
                return None;
            }
            TemplateValue::Mapping(_) => {}
            _ => {
                self.check.wrong_type(node, what, "a mapping or one expression");
                return None;
            }
        }
        let before = self.check.problems.len();
        for (key, node) in self.check.mapping(node, what)? {
            let what = format!("`{}` in {what}", key.name);
            if !matrix::is_special(&key.name) {
                self.name(&key.name, key.span, "a matrix value");
            }
            let items = match &node.value {
                NodeValue::String(text) if text.contains("${{") => continue,
                NodeValue::Sequence(items) => items,
                _ => {
                    self.check.wrong_type(node, &what, "a list or an expression");
                    continue;
                }
            };
            if items.is_empty() && !matrix::is_special(&key.name) {
                let problem = Problem::new(codes::EMPTY_LIST, format!("{what} is empty"));
                self.check.report(problem.at(node.span, "at least one value is needed"));
            }
            if matrix::is_special(&key.name) {
                for item in items {
                    self.check.mapping(item, &format!("an item of {what}"));
                }
            }
        }
        if self.check.problems.len() == before
            && let Some(value) = template.literal()
            && let Err(reason) = matrix::cells(&value)
        {
            self.check.report(Problem::new(codes::MATRIX, format!("{what} {reason}")).at(node.span, "cannot be used"));
        }
        Some(template)
    }

    /// A list, or one expression.
    pub(super) fn items(&mut self, node: &Node, what: &str) -> Template {
        let template = self.template(node);
        match &template.value {
            TemplateValue::Expression(_) | TemplateValue::Sequence(_) => {}
            TemplateValue::Literal(serde_json::Value::Array(_)) => {}
            // It is told once; what reads `item` is no second problem.
            _ => self.check.wrong_type(node, what, "a list or one expression"),
        }
        template
    }
}
