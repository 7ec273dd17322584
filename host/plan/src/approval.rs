//! `approval` and `checklist` in the plan: as JSON, and for people.

use indexmap::IndexMap;
use serde::Serialize;
use sluice_model::approval::period;
use sluice_workflow::Template;
use sluice_workflow::workflow::{Approval, Gate, Test};

use crate::canonical::{ConditionView, TemplateView};
use crate::plan::Job;

impl Job {
    /// Whether a person is asked before it runs.
    pub fn asks_somebody(&self) -> bool {
        self.approval.is_some() || self.checklist.values().any(|gate| matches!(gate.test, Test::Attest(_)))
    }

    /// Whether anything is looked at, or anybody asked, before it runs.
    pub fn is_guarded(&self) -> bool {
        self.approval.is_some() || !self.checklist.is_empty()
    }

    /// A line for the approval and one for each gate, each with what it is: `approval`, `gate`.
    pub fn guards(&self) -> Vec<(&'static str, String)> {
        let approval = self.asks_somebody().then(|| ("approval", self.approval_line()));
        let gates = self.checklist.iter().map(|(name, gate)| ("gate", gate_line(name, gate)));
        approval.into_iter().chain(gates).collect()
    }

    fn approval_line(&self) -> String {
        let Some(approval) = &self.approval else { return "by everybody".to_owned() };
        let mut line = match approval.by.as_slice() {
            [] => "by everybody".to_owned(),
            by => format!("by {}", by.join(" or ")),
        };
        if approval.not_self {
            line.push_str(" but who started the run");
        }
        if let Some(timeout) = approval.timeout_ms {
            line.push_str(&format!(" within {}", period(timeout)));
        }
        match &approval.message {
            Some(message) => format!("{line}: {}", as_written(message)),
            None => line,
        }
    }
}

fn gate_line(name: &str, gate: &Gate) -> String {
    match &gate.test {
        Test::Check(condition) => format!("{name}: {}", condition.expression.text),
        Test::Attest(question) => format!("{name}: attested: {}", as_written(question)),
    }
}

/// A text as it stands in the workflow.
fn as_written(template: &Template) -> String {
    match serde_json::to_value(TemplateView(template)) {
        Ok(serde_json::Value::String(text)) => text,
        other => other.unwrap_or_default().to_string(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ApprovalView<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<TemplateView<'p>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    by: &'p [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    not_self: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
}

impl<'p> ApprovalView<'p> {
    pub fn new(approval: &'p Approval) -> Self {
        Self {
            message: approval.message.as_ref().map(TemplateView),
            by: &approval.by,
            not_self: approval.not_self,
            timeout_ms: approval.timeout_ms,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GateView<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<ConditionView<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attest: Option<TemplateView<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<TemplateView<'p>>,
}

/// Gates by name.
pub fn gates(checklist: &IndexMap<String, Gate>) -> IndexMap<&str, GateView<'_>> {
    let entries = checklist.iter().map(|(name, gate)| {
        let (check, attest) = match &gate.test {
            Test::Check(condition) => (Some(ConditionView(condition)), None),
            Test::Attest(question) => (None, Some(TemplateView(question))),
        };
        (name.as_str(), GateView { check, attest, message: gate.message.as_ref().map(TemplateView) })
    });
    entries.collect()
}
