//! Why a call did not succeed.

use std::fmt;
use std::time::Duration;

use crate::bindings::imports::sluice::plugin::types as wit;

/// A typed failure: what the host reports, and what decides whether another attempt makes sense.
///
/// Messages are understandable alone: lowercase, no full stop, names in backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    kind: Kind,
    message: String,
    help: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    InvalidInput,
    Denied,
    Failed,
    Transient { retry_after: Option<Duration> },
}

impl Failure {
    /// An input passed the schema of the manifest but makes no sense; the same input will fail again.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidInput, message)
    }

    /// The host refused something that the step was not granted. Pass on what the host said.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(Kind::Denied, message)
    }

    /// The work was tried and failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// The work failed for a reason that may pass: worth another attempt.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(Kind::Transient { retry_after: None }, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None }
    }

    /// What to do about it, copyable if possible.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// How long the other side asked to wait before the next attempt. Only a transient failure keeps it.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        if let Kind::Transient { retry_after } = &mut self.kind {
            *retry_after = Some(wait);
        }
        self
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether another attempt makes sense.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::Transient { .. })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// As [`Failure::failed`] with the error's text. Where the path matters, say it: the error does not know it.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<Failure> for wit::Failure {
    fn from(failure: Failure) -> Self {
        let explanation = wit::Explanation { message: failure.message, help: failure.help };
        match failure.kind {
            Kind::InvalidInput => Self::InvalidInput(explanation),
            Kind::Denied => Self::Denied(explanation),
            Kind::Failed => Self::Failed(explanation),
            Kind::Transient { retry_after } => Self::Transient(wit::TransientFailure {
                explanation,
                retry_after_ms: retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            }),
        }
    }
}

impl From<wit::Failure> for Failure {
    fn from(failure: wit::Failure) -> Self {
        let (kind, explanation) = match failure {
            wit::Failure::InvalidInput(explanation) => (Kind::InvalidInput, explanation),
            wit::Failure::Denied(explanation) => (Kind::Denied, explanation),
            wit::Failure::Failed(explanation) => (Kind::Failed, explanation),
            wit::Failure::Transient(transient) => {
                let retry_after = transient.retry_after_ms.map(Duration::from_millis);
                (Kind::Transient { retry_after }, transient.explanation)
            }
        };
        Self { kind, message: explanation.message, help: explanation.help }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_crosses_the_boundary_unchanged() {
        for failure in [
            Failure::invalid_input("a").help("b"),
            Failure::denied("a"),
            Failure::failed("a").help("b").retry_after(Duration::from_secs(1)),
            Failure::transient("a"),
            Failure::transient("a").help("b").retry_after(Duration::from_millis(1500)),
        ] {
            assert_eq!(Failure::from(wit::Failure::from(failure.clone())), failure);
        }
    }

    #[test]
    fn only_a_transient_failure_asks_to_wait() {
        let wait = Duration::from_secs(1);
        assert_eq!(Failure::failed("a").retry_after(wait), Failure::failed("a"));
        assert_ne!(Failure::transient("a").retry_after(wait), Failure::transient("a"));
    }
}
