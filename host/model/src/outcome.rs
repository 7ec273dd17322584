//! How steps, jobs and runs end.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::span::{Source, Span};

/// How something ended. These stay distinct everywhere: in events, on the terminal, in the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    Failed,
    /// Failed, and `continue-on-error` says that this does not matter.
    AllowedToFail,
    Skipped,
    /// Ended because the run was cancelled.
    Cancelled,
    /// Started, and a crash hid how it ended.
    Unknown,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::AllowedToFail => "allowed-to-fail",
            Outcome::Skipped => "skipped",
            Outcome::Cancelled => "cancelled",
            Outcome::Unknown => "unknown",
        }
    }

    /// Whether the run can still pass with this.
    pub fn is_good(self) -> bool {
        matches!(self, Outcome::Passed | Outcome::AllowedToFail | Outcome::Skipped)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The plugin called its input wrong.
    InvalidInput,
    /// The host refused something that the step was not granted.
    Denied,
    /// The plugin tried and failed.
    Failed,
    /// The plugin failed for a reason that may pass.
    Transient,
    /// Findings at or above `fail-on`.
    Findings,
    /// The component trapped (panic, unreachable, stack overflow).
    Trap,
    /// The time limit was reached.
    TimedOut,
    /// A limit on memory, tables, handles, files or output was reached.
    Limit,
    /// The value of a secret is in something that the step was about to leave behind.
    SecretLeak,
    /// The run was cancelled while the step ran.
    Cancelled,
    /// The component could not be loaded or linked.
    Load,
    /// A gate of a job's checklist does not hold.
    Gate,
    /// Somebody said no to a job, or nobody answered in time.
    NotApproved,
    /// An expression could not be evaluated while the run was under way.
    Expression,
    /// Our fault.
    Internal,
}

impl FailureKind {
    /// The code of the problem that reports it.
    pub fn code(self) -> &'static str {
        match self {
            FailureKind::InvalidInput => "plugin::invalid-input",
            FailureKind::Denied => "run::denied",
            FailureKind::Failed => "plugin::failed",
            FailureKind::Transient => "plugin::transient",
            FailureKind::Findings => "run::findings",
            FailureKind::Trap => "plugin::trap",
            FailureKind::TimedOut => "run::timed-out",
            FailureKind::Limit => "run::limit",
            FailureKind::SecretLeak => "run::secret-leak",
            FailureKind::Cancelled => "run::cancelled",
            FailureKind::Load => "plugin::load",
            FailureKind::Gate => "run::gate",
            FailureKind::NotApproved => "run::not-approved",
            FailureKind::Expression => "run::expression",
            FailureKind::Internal => "host::internal",
        }
    }
}

/// Why a step failed, in words. Texts are clean: no control characters, no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    pub kind: FailureKind,
    /// Outermost first: `plugin X returned an error: ...`, then its causes.
    pub message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// For a transient failure, how long to wait before the next attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The line of the workflow that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
}

/// A place in a workflow file, with all that a frame around it needs but the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in Unicode scalar values.
    pub column: usize,
    /// In bytes of the file.
    pub span: Span,
    /// Why, at this place.
    pub label: String,
}

impl Place {
    pub fn new(source: &Source, span: Span, label: impl Into<String>) -> Self {
        let (line, column) = source.line_column(span.start);
        Self { file: source.name().to_owned(), line, column, span, label: label.into() }
    }
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), help: None, retry_after_ms: None, place: None }
    }

    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
