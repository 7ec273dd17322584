//! `retry`.

use sluice_model::yaml::{Node, NodeValue};

use super::Document;
use crate::codes;
use crate::fields::{RETRY, RETRY_ON};
use crate::workflow::Retry;

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
                "on" => retry.on = self.kinds(node, &what),
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

    fn kinds(&mut self, node: &Node, what: &str) -> Vec<sluice_model::FailureKind> {
        let items = match &node.value {
            NodeValue::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let kinds = items.iter().filter_map(|item| {
            let word = self.choice(item, what, &RETRY_ON)?;
            RETRY_ON.iter().position(|known| *known == word).map(|at| Retry::KINDS[at])
        });
        kinds.collect()
    }
}
