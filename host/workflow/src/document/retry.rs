//! `retry`.

use sluice_model::yaml::{Node, NodeValue};
use sluice_model::{FailureKind, Problem};

use super::Document;
use crate::codes;
use crate::fields::{RETRY, RETRY_ON, SYMPTOM};
use crate::workflow::{Retry, Symptom};

/// More attempts than this are a mistake.
const MAX_ATTEMPTS: u32 = 100;

impl Document<'_> {
    /// `3`, or a mapping.
    pub(super) fn retry(&mut self, node: &Node, what: &str) -> Option<Retry> {
        if let NodeValue::Int(_) = node.value {
            return Some(Retry { attempts: self.attempts(node, what)?, ..Retry::default() });
        }
        if !matches!(node.value, NodeValue::Mapping(_)) {
            self.check.wrong_type(node, what, "a number of attempts or a mapping");
            return None;
        }
        let mut retry = Retry::default();
        for (key, node) in self.fields(node, what, &RETRY)? {
            let what = format!("`{}` in {what}", key.name);
            match key.name.as_str() {
                "attempts" => retry.attempts = self.attempts(node, &what).unwrap_or(retry.attempts),
                "delay" => retry.delay_ms = self.duration(node, &what).unwrap_or(retry.delay_ms),
                "max-delay" => retry.max_delay_ms = self.duration(node, &what).unwrap_or(retry.max_delay_ms),
                "factor" => retry.factor = self.factor(node, &what).unwrap_or(retry.factor),
                "jitter" => retry.jitter = self.boolean(node, &what).unwrap_or(retry.jitter),
                "on" => (retry.on, retry.symptoms) = self.failures(node, &what),
                _ => {}
            }
        }
        Some(retry)
    }

    fn attempts(&mut self, node: &Node, what: &str) -> Option<u32> {
        let attempts = self.count(node, what)?;
        let fits = u32::try_from(attempts).ok().filter(|attempts| *attempts <= MAX_ATTEMPTS);
        if fits.is_none() {
            self.check.report(
                Problem::new(codes::COUNT, format!("{what} is above {MAX_ATTEMPTS}"))
                    .at(node.span, "too many attempts"),
            );
        }
        fits
    }

    fn factor(&mut self, node: &Node, what: &str) -> Option<f64> {
        let factor = match node.value {
            NodeValue::Int(value) => value as f64,
            NodeValue::Float(value) => value,
            _ => {
                self.check.wrong_type(node, what, "a number");
                return None;
            }
        };
        if factor < 1.0 {
            self.check.report(
                Problem::new(codes::COUNT, format!("{what} is below 1")).at(node.span, "delays would become shorter"),
            );
            return None;
        }
        Some(factor)
    }

    fn failures(&mut self, node: &Node, what: &str) -> (Vec<FailureKind>, Vec<Symptom>) {
        let (mut kinds, mut symptoms) = (Vec::new(), Vec::new());
        for item in items(node) {
            match item.value {
                NodeValue::Mapping(_) => symptoms.extend(self.symptom(item, what)),
                _ => {
                    let word = self.choice(item, what, &RETRY_ON);
                    let at = word.and_then(|word| RETRY_ON.iter().position(|known| *known == word));
                    kinds.extend(at.map(|at| Retry::KINDS[at]));
                }
            }
        }
        (kinds, symptoms)
    }

    fn symptom(&mut self, node: &Node, what: &str) -> Option<Symptom> {
        let entries = self.fields(node, &format!("a failure in {what}"), &SYMPTOM)?;
        let mut symptom = Symptom::default();
        for (key, node) in entries {
            let what = format!("`{}` in {what}", key.name);
            match key.name.as_str() {
                "exit-code" => {
                    symptom.exit_codes = items(node).iter().filter_map(|item| self.exit_code(item, &what)).collect()
                }
                "message" => {
                    let texts = self.check.texts(node, &what);
                    if let Some((_, span)) = texts.iter().find(|(text, _)| text.trim().is_empty()) {
                        let problem = Problem::new(codes::EMPTY_LIST, format!("{what} is empty"));
                        self.check.report(problem.at(*span, "every failure has this"));
                    }
                    symptom.messages = texts.into_iter().map(|(text, _)| text.to_owned()).collect();
                }
                _ => {}
            }
        }
        if entries.is_empty() {
            self.check.missing(
                node.span,
                format!("a failure in {what} has neither `exit-code` nor `message`"),
                "every failure has this",
                "for example `{exit-code: 75}` or `{message: connection reset}`",
            );
        }
        Some(symptom)
    }

    fn exit_code(&mut self, node: &Node, what: &str) -> Option<u8> {
        let code = match node.value {
            NodeValue::Int(code) => u8::try_from(code).ok().filter(|code| *code > 0),
            _ => {
                self.check.wrong_type(node, what, "an exit code or a list of them");
                return None;
            }
        };
        if code.is_none() {
            self.check.report(
                Problem::new(codes::COUNT, format!("{what} is not between 1 and 255"))
                    .at(node.span, "no exit code of a failure"),
            );
        }
        code
    }
}

/// The items of a list, or the one that stands for it.
fn items(node: &Node) -> &[Node] {
    match &node.value {
        NodeValue::Sequence(items) => items,
        _ => std::slice::from_ref(node),
    }
}
