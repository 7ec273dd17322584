//! A part of a workflow: some jobs with all that they need, or one step alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sluice_model::suggest::{closest, list};
use sluice_model::{Problem, Span};
use sluice_workflow::template::Expression;
use sluice_workflow::workflow::{Hook, Job, Step, Workflow};

use crate::call::SEPARATOR;
use crate::codes;

/// What people asked for: `--job`, `--step`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Names of jobs; all jobs if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<String>,
    /// `JOB/STEP`. The jobs do not count then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

impl Selection {
    pub fn is_everything(&self) -> bool {
        self.jobs.is_empty() && self.step.is_none()
    }
}

/// Leaves out of a workflow what was not asked for, so that it can be planned like any other.
///
/// With jobs, what they need stays, and so does `finally`, but for its steps that read results of jobs left out. With a
/// step, nothing else stays but the services of its job.
///
/// # Errors
/// Every name that is unknown; every result that the step reads and that nobody makes.
pub fn select(workflow: Workflow, selection: &Selection) -> Result<Workflow, Vec<Problem>> {
    match &selection.step {
        Some(step) => one_step(workflow, step),
        None if selection.jobs.is_empty() => Ok(workflow),
        None => jobs(workflow, &selection.jobs),
    }
}

fn jobs(mut workflow: Workflow, wanted: &[String]) -> Result<Workflow, Vec<Problem>> {
    let is_call = |name: &str| workflow.jobs.get(name).is_some_and(|job| job.call.is_some());
    let split = |name: &str| name.split_once(SEPARATOR).filter(|(call, _)| is_call(call)).map(owned);
    let (parts, whole): (Vec<_>, Vec<_>) = wanted.iter().partition(|name| split(name).is_some());
    let unknown: BTreeSet<&String> = whole.iter().copied().filter(|name| !workflow.jobs.contains_key(*name)).collect();
    if !unknown.is_empty() {
        return Err(unknown.into_iter().map(|name| unknown_job(&workflow, name)).collect());
    }
    let mut inside: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (call, name) in parts.into_iter().filter_map(|name| split(name)) {
        inside.entry(call).or_default().push(name);
    }
    let mut kept = BTreeSet::new();
    let mut open: Vec<String> = whole.into_iter().cloned().collect();
    // What a call needs is needed by all that is inside.
    let called = inside.keys().filter_map(|call| workflow.jobs.get(call));
    open.extend(called.flat_map(|job| job.needs.iter().map(|need| need.value.clone())));
    while let Some(name) = open.pop() {
        let Some(job) = workflow.jobs.get(&name).filter(|_| !kept.contains(&name)) else { continue };
        open.extend(job.needs.iter().map(|need| need.value.clone()));
        kept.insert(name);
    }
    // A call that is wanted as a whole, or needed, stays whole.
    inside.retain(|call, _| !kept.contains(call));
    for (call, wanted) in inside {
        let job = workflow.jobs.get_mut(&call).and_then(|job| job.call.as_mut());
        if let Some(called) = job.and_then(|call| call.workflow.as_mut()) {
            *called = Arc::new(jobs(Workflow::clone(called), &wanted)?);
        }
        kept.insert(call);
    }
    workflow.jobs.retain(|name, _| kept.contains(name));
    let lost = |path: &[String]| matches!(path, [root, job, ..] if root == "needs" && !kept.contains(job));
    for (_, steps) in &mut workflow.hooks {
        steps.retain(|step| step_reads(step, &lost).is_empty());
    }
    workflow.hooks.retain(|(_, steps)| !steps.is_empty());
    workflow.outputs.retain(|_, output| reads(output.expressions().into_iter(), &lost).is_empty());
    Ok(workflow)
}

fn owned((call, name): (&str, &str)) -> (String, String) {
    (call.to_owned(), name.to_owned())
}

fn one_step(mut workflow: Workflow, wanted: &str) -> Result<Workflow, Vec<Problem>> {
    let Some((job_name, id)) = wanted.split_once('/') else {
        return Err(vec![
            Problem::new(codes::UNKNOWN_STEP, format!("`{wanted}` is no name of a step"))
                .help("name the job too: `--step JOB/STEP`; a step without an `id` is `step-N`, counted from 1"),
        ]);
    };
    if Hook::ALL.iter().any(|hook| hook.name() == job_name) {
        return Err(vec![
            Problem::new(codes::UNKNOWN_STEP, format!("steps of `{job_name}` do not run alone"))
                .help(format!("`{job_name}` is for what comes after jobs; name a step of a job")),
        ]);
    }
    let call = job_name.split_once(SEPARATOR).and_then(|(call, rest)| {
        let job = workflow.jobs.get(call).filter(|job| job.call.is_some())?;
        Some((job.clone(), format!("{rest}/{id}")))
    });
    if let Some((job, step)) = call {
        return one_step_inside(workflow, job, &step);
    }
    let Some(mut job) = workflow.jobs.swap_remove(job_name) else {
        return Err(vec![unknown_job(&workflow, job_name)]);
    };
    if let Some(call) = &job.call {
        let inside = call.workflow.iter().flat_map(|called| called.jobs.keys());
        let inside: Vec<String> = inside.map(|name| format!("{job_name}{SEPARATOR}{name}")).collect();
        return Err(vec![
            Problem::new(codes::UNKNOWN_STEP, format!("the job `{job_name}` calls a workflow and has no steps itself"))
                .help(format!("name a job inside: {}", list(inside.iter().map(String::as_str)))),
        ]);
    }
    let Some(at) = job.steps.iter().position(|step| step.id == id) else {
        let ids = || job.steps.iter().map(|step| step.id.as_str());
        let help = match closest(id, ids()) {
            Some(similar) => format!("a step with a similar name exists: `{job_name}/{similar}`"),
            None => format!("it has {}", list(ids())),
        };
        return Err(vec![
            Problem::new(codes::UNKNOWN_STEP, format!("the job `{job_name}` has no step `{id}`")).help(help),
        ]);
    };
    let step = job.steps.remove(at);
    job.steps.retain(Step::is_service);
    let problems = alone(&workflow, &job, &step);
    if !problems.is_empty() {
        return Err(problems);
    }
    job.steps.push(step);
    job.needs.clear();
    job.outputs.clear();
    workflow.jobs = IndexMap::from([(job_name.to_owned(), job)]);
    workflow.hooks.clear();
    workflow.outputs.clear();
    Ok(workflow)
}

/// A step inside a call comes with the call, which must not read results either.
fn one_step_inside(mut workflow: Workflow, mut job: Job, wanted: &str) -> Result<Workflow, Vec<Problem>> {
    let Some(call) = &mut job.call else { return Ok(workflow) };
    let lost = |path: &[String]| matches!(path, [root, _, ..] if root == "needs");
    let condition = job.condition.iter().map(|condition| &condition.expression);
    let found = reads(condition.chain(call.with.expressions()), &lost);
    if !found.is_empty() {
        let step = format!("{}{SEPARATOR}{wanted}", job.name.value);
        let problem = |(path, span): (Vec<String>, Span)| {
            let message = format!("step `{step}` cannot run alone: its call needs `{}`", path.join("."));
            Problem::new(codes::NOT_ALONE, message)
                .at(span, format!("the job `{}` would not run", path[1]))
                .help(format!("run the job with all that it needs: `--job {}`", job.name.value))
                .within(&workflow.source)
        };
        return Err(found.into_iter().map(problem).collect());
    }
    if let Some(called) = &mut call.workflow {
        *called = Arc::new(one_step(Workflow::clone(called), wanted)?);
    }
    job.needs.clear();
    workflow.jobs = IndexMap::from([(job.name.value.clone(), job)]);
    workflow.hooks.clear();
    workflow.outputs.clear();
    Ok(workflow)
}

/// What keeps a step from running without the rest of the workflow but the services of its job, which are all that is
/// left in it.
fn alone(workflow: &Workflow, job: &Job, step: &Step) -> Vec<Problem> {
    let mut names = job.steps.iter().chain([step]).filter_map(|step| step.background.as_ref());
    let names: BTreeSet<&str> = names.by_ref().map(|background| background.name.value.as_str()).collect();
    let lost = |path: &[String]| match path {
        [root, name, ..] if root == "services" => !names.contains(name.as_str()),
        [root, _, ..] => root == "needs" || root == "steps",
        _ => false,
    };
    let of_job = job.condition.iter().map(|condition| &condition.expression);
    let of_job = of_job.chain(job.continue_on_error.expression());
    let of_job = of_job.chain(job.waits_on());
    let of_job = of_job.chain(job.env.values().chain(&job.matrix).flat_map(|template| template.expressions()));
    let mut found = reads(of_job, &lost);
    job.steps.iter().chain([step]).for_each(|step| found.extend(step_reads(step, &lost)));
    found.sort_by_key(|(_, span)| span.start);
    found
        .into_iter()
        .map(|(path, span)| {
            let what = path.join(".");
            let rest = if path[0] == "needs" { "job" } else { "step" };
            let rest = format!("the {rest} `{}`", path[1]);
            let job = &job.name.value;
            Problem::new(codes::NOT_ALONE, format!("step `{job}/{}` cannot run alone: it needs `{what}`", step.id))
                .at(span, format!("{rest} would not run"))
                .help(format!("run its job with all that it needs: `--job {job}`"))
                .within(&workflow.source)
        })
        .collect()
}

fn step_reads(step: &Step, lost: &impl Fn(&[String]) -> bool) -> Vec<(Vec<String>, Span)> {
    let templates = std::iter::once(&step.with).chain(step.env.values()).chain(&step.for_each);
    let templates = templates.chain(step.probe().map(|probe| &probe.with));
    let condition = step.condition.iter().map(|condition| &condition.expression);
    let condition = condition.chain(step.continue_on_error.expression());
    reads(templates.flat_map(|template| template.expressions()).chain(condition), lost)
}

/// The values that expressions cannot do without and that are lost, each with its place.
fn reads<'w>(
    expressions: impl Iterator<Item = &'w Expression>,
    lost: &impl Fn(&[String]) -> bool,
) -> Vec<(Vec<String>, Span)> {
    let references = expressions.flat_map(|expression| &expression.references);
    references
        .filter(|reference| !reference.optional && lost(&reference.path))
        .map(|reference| (reference.path.clone(), reference.span))
        .collect()
}

fn unknown_job(workflow: &Workflow, name: &str) -> Problem {
    let names = || workflow.jobs.keys().map(String::as_str);
    let help = match closest(name, names()) {
        Some(similar) => format!("a job with a similar name exists: `{similar}`"),
        None => format!("jobs: {}", list(names())),
    };
    Problem::new(codes::UNKNOWN_JOB, format!("the workflow `{}` has no job `{name}`", workflow.name)).help(help)
}
