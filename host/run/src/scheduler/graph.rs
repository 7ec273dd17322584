//! What the scheduler knows of a plan.

use sluice_workflow::workflow::Hook;

/// Jobs by position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    pub jobs: Vec<Node>,
    /// What the last jobs are: they run one after the other when all others have ended. They have no needs and no
    /// condition, and nothing needs them.
    pub hooks: Vec<Hook>,
    /// Whether the first failure of a job ends the run.
    pub fail_fast: bool,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Positions of other jobs; no cycle leads through them.
    pub needs: Vec<usize>,
    /// Whether it has a condition, or cells that are known only then: asked once all its needs have ended.
    pub asks: bool,
    /// Whether its condition is asked even if its needs ended badly, or the run is being cancelled.
    pub status_aware: bool,
    /// Whether an answer is waited for before it runs, once its condition holds.
    pub guarded: bool,
    /// How often its steps run, each time with other values; 1 without a matrix.
    pub cells: usize,
    /// Cells at once.
    pub max_parallel: usize,
    /// Whether a cell that fails ends the others.
    pub fail_fast: bool,
    pub continue_on_error: bool,
    /// Whether it calls a workflow. It then has one cell, no steps, and asks; `fail_fast` is that of the called workflow.
    pub calls: bool,
    /// Position of the calling job that this one is inside of; it comes before all that is inside.
    pub inside: Option<usize>,
    /// What it is at the end of the called workflow that it is inside of. Hooks come after all other jobs there.
    pub hook: Option<Hook>,
    pub steps: Vec<StepNode>,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepNode {
    /// Whether its condition is asked even if an earlier step failed, or the run is being cancelled.
    pub status_aware: bool,
    /// Whether it runs once for each item of a list that is known only then.
    pub for_each: bool,
    /// Items at once.
    pub max_parallel: usize,
    /// Whether an item that fails ends the others.
    pub fail_fast: bool,
    /// Whether the steps after it run beside it once it is ready; it is stopped when they have ended.
    pub background: bool,
}
