//! What expressions can see at one place.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::background::Background;
use crate::template::{Template, TemplateValue};
use crate::workflow::{Job, Step, Workflow};

/// Cheap to copy: everything is borrowed.
#[derive(Clone, Copy)]
pub struct Scope<'w> {
    pub workflow: &'w Workflow,
    /// Variables of the workflow, the job and the step, as far as they can be seen.
    pub env: [Option<&'w IndexMap<String, Template>>; 3],
    pub needs: Needs<'w>,
    pub steps: Steps<'w>,
    /// Steps of the job around, some of which may run in the background; `None` if there is no such job.
    pub services: Option<&'w [Step]>,
    /// The matrix of the job around, if it has one.
    pub matrix: Option<&'w Template>,
    /// Whether this is inside a step with `for-each`.
    pub for_each: bool,
    /// Whether this is a condition.
    pub condition: bool,
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
    /// Names of the matrix, if all are known.
    pub fn matrix_names(&self) -> Option<Vec<&'w str>> {
        let TemplateValue::Mapping(entries) = &self.matrix?.value else { return None };
        let mut names = Vec::new();
        for (name, _, values) in entries {
            match (name.as_str(), &values.value) {
                ("exclude", _) => {}
                ("include", TemplateValue::Sequence(items)) => {
                    for item in items {
                        let TemplateValue::Mapping(entries) = &item.value else { return None };
                        names.extend(entries.iter().map(|(name, _, _)| name.as_str()));
                    }
                }
                ("include", TemplateValue::Literal(value)) => {
                    let items = value.as_array().into_iter().flatten().filter_map(|item| item.as_object());
                    names.extend(items.flat_map(|item| item.keys().map(String::as_str)));
                }
                ("include", _) => return None,
                (name, _) => names.push(name),
            }
        }
        Some(names)
    }

    /// Whether steps of the job around are still to come, so that what runs in the background has not ended.
    pub fn steps_are_open(&self) -> bool {
        matches!((self.steps, self.services), (Steps::Before(_, earlier), Some(steps)) if earlier < steps.len())
    }

    /// What runs in the background of the job around.
    pub fn services(&self) -> impl Iterator<Item = &'w Background> + Clone + use<'w> {
        self.services.unwrap_or_default().iter().filter_map(|step| step.background.as_ref())
    }

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
