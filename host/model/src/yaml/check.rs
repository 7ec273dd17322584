//! Reading fields out of nodes, with the problems that every reader has: wrong types, unknown and missing fields.

use super::{Dialect, Key, Node, NodeValue};
use crate::problem::Problem;
use crate::span::Span;
use crate::suggest;

/// Collects problems while a tree is read.
#[derive(Debug)]
pub struct Checker<'d> {
    dialect: &'d Dialect,
    pub problems: Vec<Problem>,
}

impl<'d> Checker<'d> {
    pub fn new(dialect: &'d Dialect) -> Self {
        Self { dialect, problems: Vec::new() }
    }

    pub fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Reports that a value has the wrong type. `what` names it: `` `timeout` of step `x` ``; `expected` has an article.
    pub fn wrong_type(&mut self, node: &Node, what: &str, expected: &str) {
        let found = node.describe();
        let message = format!("{what} is {found}, not {expected}");
        self.report(Problem::new(self.dialect.wrong_type, message).at(node.span, format!("expected {expected}")));
    }

    pub fn missing(&mut self, span: Span, message: impl Into<String>, label: &str, help: &str) {
        self.report(Problem::new(self.dialect.missing_field, message).at(span, label).help(help));
    }

    /// The entries of a mapping, in which only `known` names may stand. `place` says where (`` step `x` ``), `of` what
    /// kind of thing has these fields (`a step`).
    pub fn fields<'n>(&mut self, node: &'n Node, place: &str, of: &str, known: &[&str]) -> Option<&'n [(Key, Node)]> {
        let entries = self.mapping(node, place)?;
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.name.as_str())) {
            let help = match suggest::closest(&key.name, known.iter().copied()) {
                Some(name) => format!("a field with a similar name exists: `{name}`"),
                None => format!("fields of {of}: {}", suggest::list(known.iter().copied())),
            };
            let message = format!("unknown field `{}` in {place}", key.name);
            self.report(
                Problem::new(self.dialect.unknown_field, message)
                    .at(key.span, format!("not a field of {of}"))
                    .help(help),
            );
        }
        Some(entries)
    }

    pub fn mapping<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [(Key, Node)]> {
        match &node.value {
            NodeValue::Mapping(entries) => Some(entries),
            _ => {
                self.wrong_type(node, what, "a mapping");
                None
            }
        }
    }

    pub fn sequence<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.value {
            NodeValue::Sequence(items) => Some(items),
            _ => {
                self.wrong_type(node, what, "a list");
                None
            }
        }
    }

    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = node.as_str();
        if text.is_none() {
            self.wrong_type(node, what, "text");
        }
        text
    }

    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.value {
            NodeValue::Bool(value) => Some(value),
            _ => {
                self.wrong_type(node, what, "`true` or `false`");
                None
            }
        }
    }

    /// A list of texts, or one text that stands for a list of one.
    pub fn texts<'n>(&mut self, node: &'n Node, what: &str) -> Vec<(&'n str, Span)> {
        match &node.value {
            NodeValue::String(text) => vec![(text, node.span)],
            NodeValue::Sequence(items) => {
                let item = format!("an item of {what}");
                items.iter().filter_map(|node| Some((self.text(node, &item)?, node.span))).collect()
            }
            _ => {
                self.wrong_type(node, what, "text or a list of text");
                Vec::new()
            }
        }
    }
}

/// The node of a field.
pub fn field<'n>(entries: &'n [(Key, Node)], name: &str) -> Option<&'n Node> {
    entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
}
