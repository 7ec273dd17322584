//! Jobs that call a workflow, in a plan that is flat: what is inside a call stands among the other jobs, under a name
//! that begins with the call's: `release.publish`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::Source;
use sluice_workflow::requires::Requires;
use sluice_workflow::{Template, Workflow, workflow};

use crate::plan::{Job, Plan};

/// Between the name of a call and that of a job inside; no name of a job has it.
pub const SEPARATOR: char = '.';

/// What a calling job knows of the workflow that it calls.
#[derive(Debug, Clone)]
pub struct Call {
    /// As it stands in the calling workflow.
    pub call: workflow::Call,
    pub workflow: Arc<Workflow>,
    /// The values of the called workflow's inputs, if all of them are known before the run.
    pub inputs: Option<IndexMap<String, Value>>,
    /// The secrets that steps inside can be granted: the name there -> the name of the value in the run, which is that of
    /// a secret of the outermost workflow, or `CALL.NAME` for a source that the called workflow has itself.
    pub secrets: BTreeMap<String, String>,
}

impl Job {
    /// The name in its own file.
    pub fn local_name(&self) -> &str {
        self.name.rsplit(SEPARATOR).next().unwrap_or_default()
    }
}

impl Plan {
    /// The call that a job is inside of.
    pub fn call_around(&self, job: &Job) -> Option<(&Job, &Call)> {
        let job = self.job(job.inside?)?;
        Some((job, job.call.as_ref()?))
    }

    /// The job that a name means in the file of `job`.
    pub fn qualified(&self, job: &Job, name: &str) -> String {
        match self.call_around(job) {
            Some((call, _)) => qualify(Some(&call.name), name),
            None => name.to_owned(),
        }
    }

    /// Names, in their own file, of the jobs inside the call at this position, or of the outermost workflow; no hooks.
    pub fn names_inside(&self, call: Option<usize>) -> Vec<String> {
        let jobs = self.jobs.values().filter(|job| job.inside == call && job.hook.is_none());
        jobs.map(|job| job.local_name().to_owned()).collect()
    }

    /// Variables of the workflow that the job belongs to.
    pub fn env_around(&self, job: &Job) -> &IndexMap<String, Template> {
        self.call_around(job).map_or(&self.env, |(_, call)| &call.workflow.env)
    }

    /// The name of the value in the run that a step of the job gets for a secret; `None` if it gets none.
    pub fn secret_name<'p>(&'p self, job: &Job, name: &'p str) -> Option<&'p str> {
        match self.call_around(job) {
            Some((_, call)) => call.secrets.get(name).map(String::as_str),
            None => Some(name),
        }
    }

    /// The file in which the source of a secret stands.
    pub fn file_of_secret(&self, name: &str) -> &Source {
        let call = name.rsplit_once(SEPARATOR).and_then(|(call, _)| self.jobs.get(call)?.call.as_ref());
        call.map_or(&self.source, |call| &call.workflow.source)
    }

    /// The files that are called, each once.
    pub fn called_files(&self) -> Vec<&Source> {
        let calls = self.jobs.values().filter_map(|job| job.call.as_ref());
        let files: IndexMap<&str, &Source> =
            calls.map(|call| (call.workflow.source.name(), &call.workflow.source)).collect();
        files.into_values().collect()
    }

    /// What must be there before anything runs, by file; that of calls which are known not to run does not count.
    pub fn requirements(&self) -> Vec<(&Source, &Requires)> {
        let calls = self.jobs.values().filter(|job| !job.excluded).filter_map(|job| job.call.as_ref());
        let called = calls.map(|call| (&call.workflow.source, &call.workflow.requires));
        let files: IndexMap<&str, (&Source, &Requires)> = std::iter::once((&self.source, &self.requires))
            .chain(called)
            .map(|(source, requires)| (source.name(), (source, requires)))
            .collect();
        files.into_values().filter(|(_, requires)| !requires.is_empty()).collect()
    }

    /// What the job at this position of [`Plan::all_jobs`] comes right after: what it needs; the needs of the call that
    /// it is inside of; what is last inside, if it is a call, since that ends when they have. Hooks of the run are not
    /// looked at.
    pub fn comes_after(&self, index: usize) -> Vec<usize> {
        let Some(job) = self.job(index) else { return Vec::new() };
        if job.call.is_some() {
            return self.last_inside(index, self.jobs.len());
        }
        if let (Some(_), Some(call)) = (job.hook, job.inside) {
            return self.last_inside(call, index);
        }
        let mut around = job;
        loop {
            let needs = self.needs(around);
            match self.call_around(around) {
                Some((call, _)) if needs.is_empty() => around = call,
                _ => return needs,
            }
        }
    }

    /// Of the jobs inside a call that stand before `end`, those that no other comes after.
    fn last_inside(&self, call: usize, end: usize) -> Vec<usize> {
        let inside: Vec<usize> = self.inside(call).filter(|job| *job < end).collect();
        if let Some(hook) = inside.iter().rev().find(|job| self.jobs[**job].hook.is_some()) {
            return vec![*hook];
        }
        let needed: BTreeSet<usize> = inside.iter().flat_map(|job| self.needs(&self.jobs[*job])).collect();
        inside.into_iter().filter(|job| !needed.contains(job)).collect()
    }

    fn needs(&self, job: &Job) -> Vec<usize> {
        job.needs.iter().filter_map(|need| self.jobs.get_index_of(need)).collect()
    }

    fn inside(&self, call: usize) -> impl Iterator<Item = usize> {
        self.jobs.values().enumerate().filter(move |(_, job)| job.inside == Some(call)).map(|(index, _)| index)
    }
}

/// The name of a job inside a call.
pub fn qualify(call: Option<&str>, name: &str) -> String {
    call.map_or_else(|| name.to_owned(), |call| format!("{call}{SEPARATOR}{name}"))
}
