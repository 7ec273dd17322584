//! What a plugin may ask of the step it runs for.

use std::fmt::Display;
use std::time::Duration;

use crate::Failure;
use crate::bindings::imports::sluice::plugin::types as wit;

/// The step that the plugin runs for.
#[derive(Debug)]
pub struct Step<'a>(pub(crate) &'a wit::Step);

impl Step<'_> {
    /// The step's inputs, which the host has checked against the schema in the manifest and completed with its
    /// defaults. Fails with `invalid-input` when they do not fit `T`, which means that type and schema differ.
    pub fn inputs<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.0.inputs())
            .map_err(|error| Failure::invalid_input(format!("the inputs do not fit what the plugin expects: {error}")))
    }

    /// Regular files of the workspace that match any of the globs (`!` in front excludes; none means all), relative
    /// to the workspace, sorted. Ignored files, `.git` and `.sluice` are left out; links are not followed.
    /// Fails with `invalid-input` on a malformed glob, `denied` without a grant, `failed` when a folder is unreadable.
    pub fn files<G: Display>(&self, globs: &[G]) -> Result<Vec<String>, Failure> {
        let globs: Vec<String> = globs.iter().map(ToString::to_string).collect();
        Ok(self.0.files(&globs)?)
    }

    /// Whether the run is being cancelled. Worth asking now and then in long work.
    pub fn cancelled(&self) -> bool {
        self.0.cancelled()
    }

    /// What is left of the time that this attempt may take; then the host ends it.
    pub fn time_left(&self) -> Duration {
        Duration::from_millis(self.0.time_left())
    }

    /// The same for every repetition of this attempt, different for any other. Send it to servers that can recognise
    /// a repeated request.
    pub fn idempotency_key(&self) -> String {
        self.0.idempotency_key()
    }

    /// The run so far: `id`, `workflow`, `outcome`, `duration-ms`, `jobs` with their steps.
    pub fn run_summary(&self) -> serde_json::Value {
        // The contract says one JSON object; a host that breaks it gives an empty summary, not a trap.
        serde_json::from_str(&self.0.run_summary()).unwrap_or_default()
    }
}
