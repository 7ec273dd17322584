//! `approval` and `checklist` of a job.

use indexmap::IndexMap;
use sluice_model::yaml::{Key, Node, NodeValue, field};
use sluice_model::{Problem, Span};

use super::{Document, key};
use crate::approval::{Approval, Gate, Test};
use crate::codes;
use crate::fields::{APPROVAL, GATE};

/// Longest name of a gate, in characters.
const MAX_GATE: usize = 64;

impl Document<'_> {
    /// The message, or a mapping.
    pub(super) fn approval(&mut self, node: &Node, what: &str) -> Option<Approval> {
        let mut approval =
            Approval { span: node.span, message: None, by: Vec::new(), not_self: false, timeout_ms: None };
        if let NodeValue::String(_) = node.value {
            approval.message = Some(self.template(node));
            return Some(approval);
        }
        if !matches!(node.value, NodeValue::Mapping(_)) {
            self.check.wrong_type(node, what, "a message or a mapping");
            return None;
        }
        for (key, node) in self.fields(node, what, &APPROVAL)? {
            let what = format!("`{}` of {what}", key.name);
            match key.name.as_str() {
                "message" => approval.message = self.check.text(node, &what).map(|_| self.template(node)),
                "by" => approval.by = self.users(node, &what),
                "not-self" => approval.not_self = self.boolean(node, &what).unwrap_or_default(),
                "timeout" => approval.timeout_ms = self.duration(node, &what),
                _ => {}
            }
        }
        Some(approval)
    }

    fn users(&mut self, node: &Node, what: &str) -> Vec<String> {
        let users: Vec<(&str, Span)> = self.check.texts(node, what);
        let mut names: Vec<String> = Vec::new();
        for (name, span) in &users {
            let wrong = match *name {
                _ if name.contains("${{") => "must be written out",
                _ if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) => {
                    "expected the name of a user of the system"
                }
                _ if names.iter().any(|known| known == name) => {
                    let problem = Problem::new(codes::CONFLICT, format!("{what} names `{name}` twice"));
                    self.check.report(problem.at(*span, "named before"));
                    continue;
                }
                _ => {
                    names.push((*name).to_owned());
                    continue;
                }
            };
            self.check.report(
                Problem::new(codes::NAME, format!("`{}` in {what} is no user", name.escape_debug())).at(*span, wrong),
            );
        }
        if users.is_empty() && matches!(&node.value, NodeValue::Sequence(items) if items.is_empty()) {
            self.check.report(
                Problem::new(codes::EMPTY_LIST, format!("{what} is empty"))
                    .at(node.span, "nobody could answer")
                    .help("remove `by` if everybody may answer"),
            );
        }
        names
    }

    pub(super) fn checklist(&mut self, node: &Node, what: &str) -> Option<IndexMap<String, Gate>> {
        let entries = self.check.mapping(node, what)?;
        if entries.is_empty() {
            self.check.report(
                Problem::new(codes::EMPTY_LIST, format!("{what} is empty"))
                    .at(node.span, "at least one gate is needed"),
            );
        }
        let mut gates = IndexMap::new();
        for (key, node) in entries {
            let name = key.name.as_str();
            if name.trim() != name
                || name.is_empty()
                || name.chars().any(char::is_control)
                || name.chars().count() > MAX_GATE
            {
                let message = format!("`{}` cannot be the name of a gate", name.escape_debug());
                let label = format!("names of gates are one line of text, at most {MAX_GATE} characters");
                self.check.report(Problem::new(codes::NAME, message).at(key.span, label));
            }
            if let Some(gate) = self.gate(key, node, what) {
                gates.insert(key.name.clone(), gate);
            }
        }
        Some(gates)
    }

    /// A condition, or a mapping.
    fn gate(&mut self, name: &Key, node: &Node, what: &str) -> Option<Gate> {
        let place = format!("gate `{}` in {what}", name.name);
        let span = Span::new(name.span.start, node.span.end.max(name.span.end));
        let NodeValue::Mapping(entries) = &node.value else {
            let test = Test::Check(self.condition(node, &place)?);
            return Some(Gate { span, test, message: None });
        };
        self.fields(node, &place, &GATE);
        let message = self.optional(entries, "message", |document, node| {
            document.check.text(node, &format!("`message` of {place}"))?;
            Some(document.template(node))
        });
        let test = match (field(entries, "check"), key(entries, "attest")) {
            (Some(check), None) => Test::Check(self.condition(check, &format!("`check` of {place}"))?),
            (None, Some((_, attest))) => {
                self.check.text(attest, &format!("`attest` of {place}"))?;
                Test::Attest(self.template(attest))
            }
            (Some(_), Some((second, _))) => {
                self.check.report(
                    Problem::new(codes::CONFLICT, format!("{place} has both `check` and `attest`"))
                        .at(second.span, "either it is checked, or a person attests it")
                        .help("make two gates of it"),
                );
                return None;
            }
            // A field that is misspelled has been told.
            (None, None) if entries.iter().any(|(key, _)| !GATE.names().contains(&key.name.as_str())) => return None,
            (None, None) => {
                self.check.missing(
                    name.span,
                    format!("{place} has neither `check` nor `attest`"),
                    "nothing says when it holds",
                    "for example `check: ${{ needs.test.outcome == \"passed\" }}` or `attest: \"Was it announced?\"`",
                );
                return None;
            }
        };
        if let (Test::Attest(_), Some((message, _))) = (&test, key(entries, "message")) {
            self.check.report(
                Problem::new(codes::CONFLICT, format!("{place} has `message` and `attest`"))
                    .at(message.span, "the question is what people read")
                    .help("remove `message`"),
            );
        }
        Some(Gate { span, test, message })
    }
}
