//! The workflow with nothing left undecided but what only a run can tell.

use std::num::NonZeroUsize;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::finding::FailOn;
use sluice_model::grant::Capability;
use sluice_model::{Digest, Grants, Kind, Limits, Manifest, PluginRef, SecretSource, Source, Span};
use sluice_workflow::Template;
use sluice_workflow::background::{Port, SERVICES};
use sluice_workflow::concurrency::WhenBusy;
use sluice_workflow::requires::Requires;
use sluice_workflow::template::Condition;
use sluice_workflow::workflow::{Approval, Flag, Gate, Hook, Retry, Spanned};

use crate::call::Call;
use crate::plugin::Plugin;
use crate::policy::SharedPolicies;

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
    /// What the plan was made under.
    pub policies: SharedPolicies,
    /// Honoured by whoever runs the plan.
    pub concurrency: Option<Concurrency>,
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

/// The group of runs that are never under way at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    pub group: String,
    /// What happens while another run of the group is under way.
    pub when_busy: WhenBusy,
    /// The longest wait; for ever without it.
    pub wait_timeout_ms: Option<u64>,
    /// Of the group in the workflow.
    pub span: Span,
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
    /// As it stands in the workflow; cells have it decided as far as that is known.
    pub continue_on_error: Flag,
    /// A matrix whose cells only the run knows: the one cell of `cells` stands for all of them.
    pub matrix: Option<Template>,
    /// Ways through the job; one without a matrix.
    pub cells: Vec<Cell>,
    /// Cells at once.
    pub max_parallel: usize,
    /// Whether a cell that fails ends the others.
    pub fail_fast: bool,
    /// Somebody is asked before it runs.
    pub approval: Option<Approval>,
    /// What must hold before it runs, by name.
    pub checklist: IndexMap<String, Gate>,
}

/// One way through a job.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The job's name, and the values of the matrix if it has one: `test (linux, 1.2)`.
    pub name: String,
    /// What `matrix` is in expressions; `None` without one, or while it is not known.
    pub matrix: Option<Value>,
    /// `name` of the job, for people; as it stands in the workflow while it is not known.
    pub title: Option<String>,
    /// If it is not known before the run.
    pub open_title: Option<Template>,
    pub continue_on_error: Flag,
    pub steps: Vec<Step>,
}

/// `for-each` of a step.
#[derive(Debug, Clone)]
pub struct ForEach {
    pub list: Template,
    /// The items with what each runs with, if all of that is known before the run.
    pub items: Option<Vec<(Value, Decided)>>,
}

/// What a step in the background has besides: the steps after it run beside it, and it is stopped after the last.
#[derive(Debug, Clone)]
pub struct Background {
    /// What `services.NAME` in expressions means.
    pub name: String,
    pub port: Option<Port>,
    pub ready: Option<Ready>,
    /// Time between the request to end and the kill.
    pub stop_timeout_ms: u64,
}

/// When a step in the background can be used.
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
    Says(regex::Regex),
    /// This step passes, which tries until its time is over.
    Passes(Box<Step>),
}

#[derive(Debug, Clone)]
pub struct Step {
    pub id: String,
    /// For people; as it stands in the workflow while it is not known.
    pub name: String,
    /// Where it stands.
    pub source: Source,
    /// If it is not known before the run.
    pub open_name: Option<Template>,
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
    /// What applies to it; all steps share it.
    pub policies: SharedPolicies,
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
    /// Grants in which only ports of services are open, as `CAPABILITY: SPELLING` with `${{ services.NAME.port }}`.
    pub at_services: Vec<String>,
    pub limits: Limits,
    pub fail_on: FailOn,
    pub retry: Option<Retry>,
    pub for_each: Option<ForEach>,
    /// Items at once.
    pub max_parallel: usize,
    /// Whether an item that fails ends the others.
    pub fail_fast: bool,
    pub continue_on_error: Flag,
    pub background: Option<Background>,
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
                    let steps = granted.entry(name).or_default();
                    // One secret may be granted to one step in several ways.
                    if !steps.last().is_some_and(|last| std::ptr::eq(*last, step)) {
                        steps.push(step);
                    }
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

    /// All steps of all cells, each followed by the one that tells when it is ready, if there is one.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.all_jobs().flat_map(Job::all_steps).flat_map(Step::with_probe)
    }
}

impl Step {
    /// Whether it stands below `services` of its job.
    pub fn is_service(&self) -> bool {
        self.id.starts_with(SERVICES)
    }

    /// The step that tells when this one is ready, if another step does.
    pub fn probe(&self) -> Option<&Step> {
        match &self.background.as_ref()?.ready.as_ref()?.when {
            When::Passes(step) => Some(step),
            When::Says(_) => None,
        }
    }

    /// Itself and its probe.
    pub fn with_probe(&self) -> impl Iterator<Item = &Step> {
        std::iter::once(self).chain(self.probe())
    }
}

impl Job {
    /// The steps of all cells.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.cells.iter().flat_map(|cell| &cell.steps)
    }

    /// The cell at this position; of a matrix that only the run knows, the one that stands for all.
    pub fn cell(&self, cell: usize) -> Option<&Cell> {
        self.cells.get(if self.matrix.is_some() { 0 } else { cell })
    }

    /// The steps of one cell; of a matrix that only the run knows, all cells have the same.
    pub fn steps(&self, cell: usize) -> &[Step] {
        self.cell(cell).map_or(&[], |cell| &cell.steps)
    }
}
