//! A workflow that has been parsed and checked: names resolve, references exist, types fit as far as they are known.

use indexmap::IndexMap;
use sluice_model::finding::FailOn;
use sluice_model::grant::Capability;
use sluice_model::{PluginRef, Source, Span};

use crate::template::{Condition, Template};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// A checked workflow.
#[derive(Debug, Clone)]
pub struct Workflow {
    pub source: Source,
    /// `name`, or the file's name without its ending.
    pub name: String,
    pub inputs: IndexMap<String, Input>,
    pub env: IndexMap<String, Template>,
    /// In source order; `needs` form no cycle.
    pub jobs: IndexMap<String, Job>,
    /// Steps that run at the end whatever happened; the scheduler sees them as a job of this name.
    pub finally: Vec<Step>,
    pub retention: Retention,
}

/// Which records of the workflow's runs are kept: those that satisfy all that is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// The newest so many.
    pub runs: Option<u64>,
    /// Those that began at most so many days ago.
    pub days: Option<u64>,
}

/// The job name under which `finally` runs.
pub const FINALLY: &str = "finally";

/// The type of a workflow input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputType {
    String,
    Integer,
    Number,
    Boolean,
    /// A list of strings.
    List,
}

/// A declared workflow input.
#[derive(Debug, Clone)]
pub struct Input {
    pub kind: InputType,
    pub description: Option<String>,
    /// `None` makes the input required.
    pub default: Option<serde_json::Value>,
    /// The only values allowed, if any are named.
    pub options: Vec<serde_json::Value>,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct Job {
    /// The key below `jobs`.
    pub name: Spanned<String>,
    /// `name`, for people.
    pub title: Option<String>,
    pub needs: Vec<Spanned<String>>,
    pub condition: Option<Condition>,
    pub env: IndexMap<String, Template>,
    pub outputs: IndexMap<String, Template>,
    pub timeout_ms: Option<u64>,
    pub continue_on_error: bool,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub struct Step {
    /// `id`, or `step-N` counted from 1.
    pub id: String,
    /// `name`, or the plugin's name or the first line of `run`.
    pub name: String,
    /// Of the whole step.
    pub span: Span,
    pub uses: Spanned<PluginRef>,
    /// A template whose root is a mapping; `run: x` has become `{run: x}`.
    pub with: Template,
    pub condition: Option<Condition>,
    pub env: IndexMap<String, Template>,
    pub timeout_ms: Option<u64>,
    pub continue_on_error: bool,
    pub fail_on: Option<FailOn>,
    /// Capability -> spellings; a capability that is not named keeps what the plugin declares.
    pub grants: IndexMap<Capability, Vec<Spanned<String>>>,
    pub limits: LimitOverrides,
}

/// `limits:` of a step; absent ones keep their default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    pub memory_bytes: Option<u64>,
    pub output_bytes: Option<u64>,
    pub handles: Option<u32>,
    pub table_elements: Option<u64>,
}

impl Workflow {
    /// Whether any expression reads the root, so that the caller need not find out what nobody asks for.
    pub fn uses_root(&self, root: &str) -> bool {
        let job = |job: &Job| {
            job.condition.iter().any(|condition| condition.roots().contains(root))
                || job.env.values().chain(job.outputs.values()).any(|template| template.uses_root(root))
                || job.steps.iter().any(|step| step.uses_root(root))
        };
        self.env.values().any(|template| template.uses_root(root))
            || self.jobs.values().any(job)
            || self.finally.iter().any(|step| step.uses_root(root))
    }
}

impl Step {
    fn uses_root(&self, root: &str) -> bool {
        self.with.uses_root(root)
            || self.env.values().any(|template| template.uses_root(root))
            || self.condition.iter().any(|condition| condition.roots().contains(root))
    }
}
