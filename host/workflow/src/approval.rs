//! `approval` and `checklist` of a job: what must hold, and who is asked, before it runs.

use sluice_model::Span;

use crate::template::{Condition, Expression, Template};
use crate::workflow::Job;

/// `approval:` of a job.
#[derive(Debug, Clone)]
pub struct Approval {
    pub span: Span,
    /// What people are asked; without it, whether the job may run.
    pub message: Option<Template>,
    /// The users of the system who may answer; everybody if it is empty.
    pub by: Vec<String>,
    /// Whether the one who started the run may not answer.
    pub not_self: bool,
    /// How long after the question silence becomes a denial.
    pub timeout_ms: Option<u64>,
}

/// One entry of a job's `checklist`.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Of the whole entry.
    pub span: Span,
    pub test: Test,
    /// What people read beside it.
    pub message: Option<Template>,
}

/// How it is found out whether a gate holds.
#[derive(Debug, Clone)]
pub enum Test {
    /// By this expression.
    Check(Condition),
    /// By this question to the person who approves.
    Attest(Template),
}

impl Approval {
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.message.iter().flat_map(Template::expressions)
    }
}

impl Gate {
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let test = match &self.test {
            Test::Check(condition) => vec![&condition.expression],
            Test::Attest(question) => question.expressions(),
        };
        test.into_iter().chain(self.message.iter().flat_map(Template::expressions))
    }
}

impl Job {
    /// Every expression of its approval and its checklist.
    pub fn waits_on(&self) -> impl Iterator<Item = &Expression> {
        let approval = self.approval.iter().flat_map(Approval::expressions);
        approval.chain(self.checklist.values().flat_map(Gate::expressions))
    }
}
