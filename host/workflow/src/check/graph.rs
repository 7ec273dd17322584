//! `needs`: every job exists, none waits for itself.

use std::collections::HashMap;

use sluice_model::{Problem, suggest};

use crate::codes;
use crate::workflow::{Spanned, Workflow};

pub fn check(workflow: &Workflow, problems: &mut Vec<Problem>) {
    let index: HashMap<&str, usize> = workflow.jobs.keys().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut edges: Vec<Vec<(usize, &Spanned<String>)>> = Vec::with_capacity(index.len());
    for job in workflow.jobs.values() {
        let mut own = Vec::with_capacity(job.needs.len());
        for need in &job.needs {
            match index.get(need.value.as_str()) {
                Some(at) => own.push((*at, need)),
                None => problems.push(unknown(workflow, &job.name.value, need)),
            }
        }
        edges.push(own);
    }
    cycles(workflow, &edges, problems);
}

fn unknown(workflow: &Workflow, job: &str, need: &Spanned<String>) -> Problem {
    let names = workflow.jobs.keys().map(String::as_str).filter(|name| *name != job);
    let help = match suggest::closest(&need.value, names.clone()) {
        Some(name) => format!("a job with a similar name exists: `{name}`"),
        None if workflow.jobs.len() == 1 => format!("`{job}` is the only job; remove `needs`"),
        None => format!("jobs: {}", suggest::list(names)),
    };
    Problem::new(codes::UNKNOWN_JOB, format!("job `{job}` needs `{}`, which does not exist", need.value))
        .at(need.span, "no job has this name")
        .help(help)
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Not,
    Open,
    Done,
}

/// Depth first without recursion; every circle that is met is told once.
fn cycles(workflow: &Workflow, edges: &[Vec<(usize, &Spanned<String>)>], problems: &mut Vec<Problem>) {
    let name = |at: usize| workflow.jobs.get_index(at).map_or("", |(name, _)| name.as_str());
    let mut visits = vec![Visit::Not; edges.len()];
    for root in 0..edges.len() {
        if visits[root] != Visit::Not {
            continue;
        }
        // Job and how many of its needs have been followed.
        let mut path = vec![(root, 0)];
        visits[root] = Visit::Open;
        while let Some((job, followed)) = path.last_mut() {
            let Some((next, need)) = edges[*job].get(*followed) else {
                visits[*job] = Visit::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            match visits[*next] {
                Visit::Not => {
                    visits[*next] = Visit::Open;
                    path.push((*next, 0));
                }
                Visit::Open => {
                    let begin = path.iter().position(|(job, _)| job == next).unwrap_or_default();
                    let circle: Vec<&str> =
                        path[begin..].iter().map(|(job, _)| name(*job)).chain([name(*next)]).collect();
                    problems.push(cycle(&circle, need, &path[begin..], edges));
                }
                Visit::Done => {}
            }
        }
    }
}

fn cycle(
    circle: &[&str],
    closing: &Spanned<String>,
    path: &[(usize, usize)],
    edges: &[Vec<(usize, &Spanned<String>)>],
) -> Problem {
    const SHOWN: usize = 8;
    if let [only, _] = circle {
        return Problem::new(codes::CYCLE, format!("job `{only}` needs itself"))
            .at(closing.span, "a job cannot wait for itself")
            .help("remove it from `needs`");
    }
    let mut shown: Vec<String> = circle.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if circle.len() > SHOWN {
        shown.push("...".to_owned());
        shown.extend(circle.last().map(|name| format!("`{name}`")));
    }
    let mut problem = Problem::new(codes::CYCLE, format!("jobs wait for each other: {}", shown.join(" needs ")))
        .at(closing.span, "closes the circle")
        .help("remove one of these `needs`");
    for (job, followed) in path.iter().take(path.len() - 1).take(SHOWN) {
        if let Some((_, need)) = edges[*job].get(followed.saturating_sub(1)) {
            problem = problem.at(need.span, format!("waits for `{}`", need.value));
        }
    }
    problem
}
