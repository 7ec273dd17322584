//! What a plugin may say.

use crate::bindings::imports::sluice::plugin::types as wit;
use crate::{Failure, Finding, Level};

/// Where findings, outputs and log lines go. The host cleans control characters from every text and masks secrets.
#[derive(Debug)]
pub struct Sink<'a>(pub(crate) &'a wit::Sink);

impl Sink<'_> {
    /// Report findings, in batches if there are many. They count against the step's output limit.
    pub fn findings(&self, findings: Vec<Finding>) {
        if !findings.is_empty() {
            self.0.findings(&findings);
        }
    }

    /// Set an output; the last value counts. Fails with `invalid-input` when the manifest does not declare the name, or
    /// declares another type.
    pub fn output(&self, name: &str, value: impl serde::Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string(&value)
            .map_err(|error| Failure::failed(format!("output `{name}` has no form in JSON: {error}")))?;
        Ok(self.0.output(name, &json)?)
    }

    /// Tell how far the work is. The host may drop some when there are too many.
    pub fn progress(&self, done: u64, total: Option<u64>, message: impl AsRef<str>) {
        self.0.progress(done, total, message.as_ref());
    }

    /// Write a line to the step's log.
    pub fn log(&self, level: Level, message: impl AsRef<str>) {
        self.0.log(level, message.as_ref());
    }
}
