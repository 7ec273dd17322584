//! Steps that run beside those after them: services of a job, and steps with `background: true`.

use regex::Regex;
use sluice_model::Span;

use crate::workflow::{Spanned, Step};

/// How long a step in the background may take to become ready, unless the workflow says, in milliseconds.
pub const READY_TIMEOUT_MS: u64 = 60_000;

/// How long it has to end after it was asked to, unless the workflow says, in milliseconds.
pub const STOP_TIMEOUT_MS: u64 = 5_000;

/// What ids of services begin with; no other id does.
pub const SERVICES: &str = "services.";

/// What a step in the background has besides.
#[derive(Debug, Clone)]
pub struct Background {
    /// What `services.NAME` in expressions means.
    pub name: Spanned<String>,
    pub port: Option<Port>,
    /// `None`: it is ready when it has been started.
    pub ready: Option<Ready>,
    /// Time between the request to end and the kill.
    pub stop_timeout_ms: u64,
}

/// Where a program listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// One of the loopback interface that is free when the job starts.
    Auto,
    Fixed(u16),
}

/// How one knows that it can be used.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Of the way to know it.
    pub span: Span,
    pub when: When,
    pub timeout_ms: u64,
}

#[derive(Debug, Clone)]
pub enum When {
    /// A line of its log matches.
    Says(Regex),
    /// Another step passes, which tries until its time is over.
    Passes(Box<Step>),
}

impl Step {
    /// The step that tells when this one is ready, if another step does.
    pub fn probe(&self) -> Option<&Step> {
        match &self.background.as_ref()?.ready.as_ref()?.when {
            When::Passes(step) => Some(step),
            When::Says(_) => None,
        }
    }

    /// Whether it stands below `services` of its job.
    pub fn is_service(&self) -> bool {
        self.id.starts_with(SERVICES)
    }

    /// Itself and its probe.
    pub fn with_probe(&self) -> impl Iterator<Item = &Step> {
        std::iter::once(self).chain(self.probe())
    }
}
