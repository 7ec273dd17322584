//! The workflow with nothing left undecided but what only a run can tell.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::finding::FailOn;
use sluice_model::grant::Capability;
use sluice_model::{Digest, Grants, Kind, Limits, Manifest, PluginRef, Source, Span};
use sluice_workflow::Template;
use sluice_workflow::requires::Requires;
use sluice_workflow::template::Condition;

use crate::plugin::Plugin;

/// What the planner must know of a plugin; the caller loads it, this crate touches no file.
#[derive(Debug, Clone)]
pub struct PluginInfo {
    pub reference: PluginRef,
    pub digest: Digest,
    /// `None` for a plain WASI command (`wasi:cli/run`).
    pub manifest: Option<Manifest>,
    /// Kinds that the component really exports.
    pub exports: Vec<Kind>,
    /// Whether it exports `wasi:cli/run`.
    pub command: bool,
    /// Every import: `wasi:filesystem/types@0.2.12`, `sluice:host/exec@1.0.0`.
    pub imports: Vec<String>,
}

/// What `sluice plan` prints is what `run` does.
#[derive(Debug, Clone)]
pub struct Plan {
    pub source: Source,
    pub workflow: String,
    /// Of the canonical JSON of the plan.
    pub digest: Digest,
    pub inputs: IndexMap<String, Value>,
    /// Known before the run: an object with `inputs`, `git`, `run` and the digests of `hash.files`.
    pub context: Value,
    pub env: IndexMap<String, Template>,
    /// Checked by whoever runs the plan, before anything runs: [`crate::requires::unmet`].
    pub requires: Requires,
    pub jobs: IndexMap<String, Job>,
    /// The job `finally`, if the workflow has one.
    pub finally: Option<Job>,
}

#[derive(Debug, Clone)]
pub struct Job {
    pub name: String,
    pub span: Span,
    pub needs: Vec<String>,
    pub condition: Option<Condition>,
    /// Globs of the files that concern the job; empty for a job that all files concern.
    pub paths: Vec<String>,
    /// Whether files were looked at and none of [`Job::paths`] has changed. The condition then never holds.
    pub unaffected: bool,
    pub env: IndexMap<String, Template>,
    pub outputs: IndexMap<String, Template>,
    pub timeout_ms: Option<u64>,
    pub continue_on_error: bool,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub id: String,
    pub name: String,
    pub span: Span,
    pub uses: PluginRef,
    pub uses_span: Span,
    pub digest: Digest,
    pub kind: Kind,
    /// Whether it runs as a plain WASI command.
    pub command: bool,
    pub condition: Option<Condition>,
    pub env: IndexMap<String, Template>,
    pub with: Template,
    /// Inputs and grants if they are known before the run.
    pub decided: Option<Decided>,
    /// What the plugin says of itself; all steps of one plugin share it.
    pub manifest: Option<Arc<Manifest>>,
    /// The checked plugin, from which [`crate::decide`] follows; all steps of one plugin share it.
    pub plugin: Arc<Plugin>,
    /// The most that the step can get; exactly what it gets if `decided` is known.
    pub at_most: Grants,
    /// What the step's `grants` name.
    pub narrowed: Grants,
    /// The capabilities that the step's `grants` name, even if they name nothing of them.
    pub narrows: Vec<Capability>,
    /// Capabilities whose grants follow from values that only the run knows. Empty when `decided` is known.
    pub undecided: Vec<Capability>,
    pub limits: Limits,
    pub fail_on: FailOn,
    pub continue_on_error: bool,
    /// Whether its condition, or that of its job, is known not to hold.
    pub excluded: bool,
    /// What people should know before they run this: `runs programs unconfined`.
    pub notes: Vec<String>,
}

/// Inputs that passed the manifest's schema, and the grants that follow from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    pub inputs: Value,
    pub grants: Grants,
    pub env: IndexMap<String, String>,
}

impl Job {
    /// Why an unaffected job is skipped.
    pub const UNAFFECTED: &str = "no file below its paths changed";
}

impl Plan {
    /// All jobs, `finally` last.
    pub fn all_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().chain(&self.finally)
    }

    /// The job at this position of [`Plan::all_jobs`].
    pub fn job(&self, index: usize) -> Option<&Job> {
        self.jobs.get_index(index).map(|(_, job)| job).or(self.finally.as_ref().filter(|_| index == self.jobs.len()))
    }
}
