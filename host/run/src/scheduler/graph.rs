//! What the scheduler knows of a plan.

/// Jobs by position. `finally` is the last job; it has no needs and no condition, and nothing needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    pub jobs: Vec<Node>,
    /// Whether the last job is `finally`.
    pub finally: bool,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Positions of other jobs; no cycle leads through them.
    pub needs: Vec<usize>,
    /// Whether it has a condition, which is asked once all its needs have ended well.
    pub conditional: bool,
    /// How many.
    pub steps: usize,
    pub continue_on_error: bool,
}
