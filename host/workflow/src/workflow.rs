//! A workflow that has been parsed and checked: names resolve, references exist, types fit as far as they are known.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use indexmap::IndexMap;
use sluice_model::finding::FailOn;
use sluice_model::grant::Capability;
use sluice_model::{FailureKind, PluginRef, SecretSource, Source, Span};

pub use crate::approval::{Approval, Gate, Test};
use crate::background::Background;
use crate::concurrency::Concurrency;
use crate::requires::Requires;
use crate::template::{Condition, Expression, Template};

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
    /// Where the values of secrets come from; the place is that of the source.
    pub secrets: IndexMap<String, Spanned<SecretSource>>,
    /// In source order; `needs` form no cycle.
    pub jobs: IndexMap<String, Job>,
    /// Steps that run at the end, in the order in which they run; each hook is a job of its name.
    pub hooks: Vec<(Hook, Vec<Step>)>,
    /// What a job that calls this workflow has as outputs; they read results of jobs.
    pub outputs: IndexMap<String, Template>,
    /// The longest that the run may take, without hooks.
    pub timeout_ms: Option<u64>,
    /// Jobs at once.
    pub max_parallel: Option<NonZeroUsize>,
    /// Whether the first failure of a job ends the run.
    pub fail_fast: bool,
    /// Globs whose files `hash.files` reads, each list once, at a place that asks for it.
    pub file_hashes: Vec<Spanned<Vec<String>>>,
    /// Whether any expression reads `git.changed` or `git.base`, which take time to find out.
    pub reads_changes: bool,
    /// What must be there before anything runs.
    pub requires: Requires,
    /// Runs that are never under way at once with one of this workflow.
    pub concurrency: Option<Concurrency>,
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

/// Steps that run at the end, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// If the run passed so far.
    Success,
    /// If it failed.
    Failure,
    /// If it was cancelled.
    Cancel,
    /// Whatever happened.
    Finally,
}

impl Hook {
    /// In the order in which they run.
    pub const ALL: [Self; 4] = [Self::Success, Self::Failure, Self::Cancel, Self::Finally];

    /// The field of the workflow, and the name of its job.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "on-success",
            Self::Failure => "on-failure",
            Self::Cancel => "on-cancel",
            Self::Finally => "finally",
        }
    }
}

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
    pub title: Option<Title>,
    pub needs: Vec<Spanned<String>>,
    pub condition: Option<Condition>,
    /// Globs of the files that concern the job; empty for a job that all files concern.
    pub paths: Vec<Spanned<String>>,
    pub env: IndexMap<String, Template>,
    pub outputs: IndexMap<String, Template>,
    pub timeout_ms: Option<u64>,
    pub continue_on_error: Flag,
    /// Lists of values, or an expression that gives them: [`crate::matrix::cells`] tells the shape.
    pub matrix: Option<Template>,
    /// Cells at once.
    pub max_parallel: Option<NonZeroUsize>,
    /// Whether a cell that fails ends the others.
    pub fail_fast: bool,
    /// Somebody is asked before it runs.
    pub approval: Option<Approval>,
    /// What must hold before it runs, by name.
    pub checklist: IndexMap<String, Gate>,
    /// Services first; empty for a job that calls another workflow.
    pub steps: Vec<Step>,
    pub call: Option<Call>,
}

/// `uses` of a job: another workflow of the workspace, which runs in its place.
#[derive(Debug, Clone)]
pub struct Call {
    /// The file, relative to the workspace: `ci/release.yaml`.
    pub file: Spanned<String>,
    /// Values of the called workflow's inputs: a template whose root is a mapping.
    pub with: Template,
    /// Name of a secret there -> its name here.
    pub secrets: IndexMap<String, Spanned<String>>,
    /// What the file says; `None` if it could not be read, which has been told.
    pub workflow: Option<Arc<Workflow>>,
}

#[derive(Debug, Clone)]
pub struct Step {
    /// `id`, or `step-N` counted from 1; `services.NAME` for a service.
    pub id: String,
    /// `name`, or the plugin's name or the first line of `run`.
    pub name: Title,
    /// Of the whole step.
    pub span: Span,
    pub uses: Spanned<PluginRef>,
    /// A template whose root is a mapping; `run: x` has become `{run: x}`.
    pub with: Template,
    pub condition: Option<Condition>,
    pub env: IndexMap<String, Template>,
    /// Of each attempt.
    pub timeout_ms: Option<u64>,
    pub retry: Option<Retry>,
    /// A list, or an expression that gives one: the step runs once for each item.
    pub for_each: Option<Template>,
    /// Items at once.
    pub max_parallel: NonZeroUsize,
    /// Whether an item that fails ends the others.
    pub fail_fast: bool,
    pub continue_on_error: Flag,
    pub fail_on: Option<FailOn>,
    /// Capability -> spellings; a capability that is not named keeps what the plugin declares.
    pub grants: IndexMap<Capability, Vec<Spanned<String>>>,
    pub limits: LimitOverrides,
    /// If it runs beside the steps after it.
    pub background: Option<Background>,
}

/// What people read.
#[derive(Debug, Clone)]
pub struct Title {
    /// As it stands in the workflow.
    pub text: String,
    /// If it has expressions.
    pub template: Option<Template>,
}

impl Title {
    fn uses_root(&self, root: &str) -> bool {
        self.template.iter().any(|template| template.uses_root(root))
    }
}

/// A boolean, or an expression that gives one.
#[derive(Debug, Clone)]
pub enum Flag {
    Known(bool),
    Asked(Condition),
}

impl Flag {
    /// The expression, if it is one.
    pub fn expression(&self) -> Option<&Expression> {
        match self {
            Self::Known(_) => None,
            Self::Asked(condition) => Some(&condition.expression),
        }
    }

    /// Whether it holds without being asked.
    pub fn is_known_true(&self) -> bool {
        matches!(self, Self::Known(true))
    }

    fn uses_root(&self, root: &str) -> bool {
        self.expression().is_some_and(|expression| expression.roots().contains(root))
    }
}

impl Default for Flag {
    fn default() -> Self {
        Self::Known(false)
    }
}

/// `retry:` of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// How often it is tried in all, at least 1.
    pub attempts: u32,
    /// What the second attempt waits.
    pub delay_ms: u64,
    /// What each later delay is multiplied by, at least 1.
    pub factor: f64,
    pub max_delay_ms: u64,
    /// Whether delays are spread, so that many runs do not come back at the same instant.
    pub jitter: bool,
    /// Which failures are tried again.
    pub on: Vec<FailureKind>,
    /// Others that are tried again, by what they look like.
    pub symptoms: Vec<Symptom>,
}

/// What a failure looks like. All that is given must fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Symptom {
    /// Exit codes of the program that the step ran, any of them.
    pub exit_codes: Vec<u8>,
    /// Texts of which one is in the failure or on standard error, whatever the case of its letters.
    pub messages: Vec<String>,
}

impl Retry {
    /// The failures that may pass, or that another attempt may avoid.
    pub const KINDS: [FailureKind; 6] = [
        FailureKind::Failed,
        FailureKind::Transient,
        FailureKind::TimedOut,
        FailureKind::Trap,
        FailureKind::Limit,
        FailureKind::Findings,
    ];
}

impl Default for Retry {
    fn default() -> Self {
        let on = Self::KINDS.into_iter().filter(|kind| *kind != FailureKind::Findings).collect();
        Self { attempts: 3, delay_ms: 1000, factor: 2.0, max_delay_ms: 60_000, jitter: true, on, symptoms: Vec::new() }
    }
}

/// `limits:` of a step; absent ones keep their default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    pub memory_bytes: Option<u64>,
    pub output_bytes: Option<u64>,
    pub handles: Option<u32>,
    pub table_elements: Option<u64>,
    pub disk_bytes: Option<u64>,
}

impl Workflow {
    /// This workflow and all that it calls, directly or not, each file once, this one first.
    pub fn files(&self) -> Vec<&Workflow> {
        let (mut files, mut seen) = (vec![self], BTreeSet::new());
        let mut next = 0;
        while let Some(workflow) = files.get(next).copied() {
            let called = workflow.jobs.values().filter_map(|job| job.call.as_ref()?.workflow.as_deref());
            files.extend(called.filter(|called| seen.insert(called.source.name())));
            next += 1;
        }
        files
    }

    /// Every step of this file, hooks last; each is followed by the one that tells when it is ready, if there is one.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        let steps = self.jobs.values().flat_map(|job| &job.steps);
        steps.chain(self.hooks.iter().flat_map(|(_, steps)| steps)).flat_map(Step::with_probe)
    }

    /// Whether any expression, here or in what is called, reads the root, so that the caller need not find out what
    /// nobody asks for.
    pub fn uses_root(&self, root: &str) -> bool {
        self.files().into_iter().any(|workflow| workflow.reads_root(root))
    }

    fn reads_root(&self, root: &str) -> bool {
        let job = |job: &Job| {
            job.condition.iter().any(|condition| condition.roots().contains(root))
                || job.continue_on_error.uses_root(root)
                || job.title.iter().any(|title| title.uses_root(root))
                || job
                    .env
                    .values()
                    .chain(job.outputs.values())
                    .chain(&job.matrix)
                    .chain(job.call.as_ref().map(|call| &call.with))
                    .any(|template| template.uses_root(root))
                || job.waits_on().any(|expression| expression.roots().contains(root))
                || job.steps.iter().any(|step| step.uses_root(root))
        };
        self.env.values().chain(self.outputs.values()).any(|template| template.uses_root(root))
            || self.concurrency.iter().any(|concurrency| concurrency.group.uses_root(root))
            || self.jobs.values().any(job)
            || self.hooks.iter().flat_map(|(_, steps)| steps).any(|step| step.uses_root(root))
    }
}

impl Job {
    /// What jobs that need this one read: its own outputs, or those of the workflow that it calls.
    pub fn outputs(&self) -> &IndexMap<String, Template> {
        let called = self.call.as_ref().and_then(|call| call.workflow.as_ref());
        called.map_or(&self.outputs, |called| &called.outputs)
    }
}

impl Step {
    fn uses_root(&self, root: &str) -> bool {
        self.with.uses_root(root)
            || self.continue_on_error.uses_root(root)
            || self.name.uses_root(root)
            || self.for_each.iter().any(|template| template.uses_root(root))
            || self.env.values().any(|template| template.uses_root(root))
            || self.condition.iter().any(|condition| condition.roots().contains(root))
            || self.probe().is_some_and(|probe| probe.uses_root(root))
    }
}
