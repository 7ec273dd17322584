//! `concurrency`.

use sluice_model::Problem;
use sluice_model::yaml::{Node, NodeValue, field};

use super::{Document, key};
use crate::codes;
use crate::concurrency::{Concurrency, WhenBusy};
use crate::fields::{CONCURRENCY, WHEN_BUSY};
use crate::template::Template;

const WHAT: &str = "`concurrency`";

impl Document<'_> {
    /// The name of a group, or a mapping.
    pub(super) fn concurrency(&mut self, node: &Node) -> Option<Concurrency> {
        if matches!(node.value, NodeValue::String(_)) {
            let group = self.group(node, WHAT)?;
            return Some(Concurrency { group, when_busy: WhenBusy::default(), wait_timeout_ms: None });
        }
        if !matches!(node.value, NodeValue::Mapping(_)) {
            self.check.wrong_type(node, WHAT, "the name of a group or a mapping");
            return None;
        }
        let entries = self.fields(node, WHAT, &CONCURRENCY)?;
        let what = |name: &str| format!("`{name}` in {WHAT}");
        let when_busy = self.optional(entries, "when-busy", |document, node| {
            let word = document.choice(node, &what("when-busy"), &WHEN_BUSY)?;
            WhenBusy::ALL.into_iter().find(|known| known.as_str() == word)
        });
        let when_busy = when_busy.unwrap_or_default();
        let wait_timeout_ms =
            self.optional(entries, "wait-timeout", |document, node| document.duration(node, &what("wait-timeout")));
        if let Some((own, _)) = key(entries, "wait-timeout").filter(|_| when_busy != WhenBusy::Wait) {
            self.check.report(
                Problem::new(codes::CONFLICT, format!("{WHAT} has `wait-timeout` and `when-busy: {when_busy}`"))
                    .at(own.span, "it does not wait for its turn")
                    .help("remove `wait-timeout`, or choose `when-busy: wait`"),
            );
        }
        let Some(group) = field(entries, "group") else {
            self.check.missing(
                node.span,
                format!("{WHAT} has no `group`"),
                "no group",
                "name what only one run at a time may touch, for example `group: deploy-shop`",
            );
            return None;
        };
        Some(Concurrency { group: self.group(group, &what("group"))?, when_busy, wait_timeout_ms })
    }

    fn group(&mut self, node: &Node, what: &str) -> Option<Template> {
        let text = self.check.text(node, what)?;
        if text.trim().is_empty() {
            self.check.report(Problem::new(codes::GROUP, format!("{what} is empty")).at(node.span, "no name"));
            return None;
        }
        Some(self.template(node))
    }
}
