//! What expressions can see at one place.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::template::Template;
use crate::workflow::{Job, Workflow};

/// Cheap to copy: everything is borrowed.
#[derive(Clone, Copy)]
pub struct Scope<'w> {
    pub workflow: &'w Workflow,
    /// Variables of the workflow, the job and the step, as far as they can be seen.
    pub env: [Option<&'w IndexMap<String, Template>>; 3],
    pub needs: Needs<'w>,
    pub steps: Steps<'w>,
}

#[derive(Clone, Copy)]
pub enum Needs<'w> {
    /// No jobs have run yet.
    None,
    /// Those that this job needs.
    Of(&'w Job),
    /// `finally` sees every job.
    All,
}

#[derive(Clone, Copy)]
pub enum Steps<'w> {
    None,
    /// Ids of a job with their positions, and how many of them are earlier.
    Before(&'w HashMap<&'w str, usize>, usize),
}

impl<'w> Scope<'w> {
    pub fn variable(&self, name: &str) -> bool {
        self.env.iter().flatten().any(|variables| variables.contains_key(name))
    }

    pub fn variables(&self) -> impl Iterator<Item = &'w str> + Clone + use<'w> {
        self.env.into_iter().flatten().flat_map(|variables| variables.keys().map(String::as_str))
    }

    pub fn with_env(mut self, level: usize, env: &'w IndexMap<String, Template>) -> Self {
        self.env[level] = Some(env);
        self
    }
}
