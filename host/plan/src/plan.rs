//! The workflow with nothing left undecided but what only a run can tell.

use std::num::NonZeroUsize;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::finding::FailOn;
use sluice_model::grant::Capability;
use sluice_model::{Digest, Grants, Kind, Limits, Manifest, PluginRef, SecretSource, Source, Span};
use sluice_workflow::Template;
use sluice_workflow::requires::Requires;
use sluice_workflow::template::Condition;
use sluice_workflow::workflow::{Hook, Retry, Spanned};

use crate::call::Call;
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
    /// Where the values of secrets come from, as the workflow says; `CALL.NAME` for one of a called workflow's own.
    pub secrets: IndexMap<String, Spanned<SecretSource>>,
    /// Checked by whoever runs the plan, before anything runs: [`crate::requires::unmet`].
    pub requires: Requires,
    /// What is inside a call comes right after it, hooks last.
    pub jobs: IndexMap<String, Job>,
    /// What runs at the end, in this order, each as a job.
    pub hooks: Vec<(Hook, Job)>,
    /// The longest that the run may take, without hooks.
    pub timeout_ms: Option<u64>,
    /// Jobs at once, if the workflow says.
    pub max_parallel: Option<NonZeroUsize>,
    /// Whether the first failure of a job ends the run.
    pub fail_fast: bool,
}

#[derive(Debug, Clone)]
pub struct Job {
    /// `release.publish` for the job `publish` of the workflow that the job `release` calls.
    pub name: String,
    /// Where it stands.
    pub source: Source,
    pub span: Span,
    /// Position of the calling job that it is inside of.
    pub inside: Option<usize>,
    /// What it is at the end of a called workflow.
    pub hook: Option<Hook>,
    pub call: Option<Call>,
    pub needs: Vec<String>,
    pub condition: Option<Condition>,
    /// Globs of the files that concern the job; empty for a job that all files concern.
    pub paths: Vec<String>,
    /// Whether files were looked at and none of [`Job::paths`] has changed. The condition then never holds.
    pub unaffected: bool,
    /// Whether it is known not to run.
    pub excluded: bool,
    pub env: IndexMap<String, Template>,
    /// Of a call, those of the called workflow.
    pub outputs: IndexMap<String, Template>,
    pub timeout_ms: Option<u64>,
    pub continue_on_error: bool,
    /// A matrix whose cells only the run knows: the one cell of `cells` stands for all of them.
    pub matrix: Option<Template>,
    /// Ways through the job; one without a matrix.
    pub cells: Vec<Cell>,
    /// Cells at once.
    pub max_parallel: usize,
    /// Whether a cell that fails ends the others.
    pub fail_fast: bool,
}

/// One way through a job.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The job's name, and the values of the matrix if it has one: `test (linux, 1.2)`.
    pub name: String,
    /// What `matrix` is in expressions; `None` without one, or while it is not known.
    pub matrix: Option<Value>,
    pub steps: Vec<Step>,
}

/// `for-each` of a step.
#[derive(Debug, Clone)]
pub struct ForEach {
    pub list: Template,
    /// The items with what each runs with, if all of that is known before the run.
    pub items: Option<Vec<(Value, Decided)>>,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub id: String,
    pub name: String,
    /// Where it stands.
    pub source: Source,
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
    pub retry: Option<Retry>,
    pub for_each: Option<ForEach>,
    /// Items at once.
    pub max_parallel: usize,
    /// Whether an item that fails ends the others.
    pub fail_fast: bool,
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
    /// All jobs, hooks last.
    pub fn all_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().chain(self.hooks.iter().map(|(_, job)| job))
    }

    /// The secrets that steps are granted which may run, by the name of the value in the run, each with these steps.
    pub fn granted_secrets(&self) -> IndexMap<&str, Vec<&Step>> {
        let mut granted: IndexMap<&str, Vec<&Step>> = IndexMap::new();
        for job in self.all_jobs() {
            for step in job.all_steps().filter(|step| !step.excluded) {
                for name in step.at_most.secrets.iter().filter_map(|grant| self.secret_name(job, &grant.name)) {
                    granted.entry(name).or_default().push(step);
                }
            }
        }
        granted
    }

    /// The job at this position of [`Plan::all_jobs`].
    pub fn job(&self, index: usize) -> Option<&Job> {
        let hook = || self.hooks.get(index.checked_sub(self.jobs.len())?).map(|(_, job)| job);
        self.jobs.get_index(index).map(|(_, job)| job).or_else(hook)
    }

    /// All steps of all cells.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.all_jobs().flat_map(Job::all_steps)
    }
}

impl Job {
    /// The steps of all cells.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.cells.iter().flat_map(|cell| &cell.steps)
    }

    /// The steps of one cell; of a matrix that only the run knows, all cells have the same.
    pub fn steps(&self, cell: usize) -> &[Step] {
        let cell = if self.matrix.is_some() { 0 } else { cell };
        self.cells.get(cell).map_or(&[], |cell| &cell.steps)
    }
}
