//! A workflow with all that it calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_model::{Problem, Source, yaml};

use crate::workflow::{Call, Workflow};
use crate::{MAX_PROBLEMS, check, codes, document};

/// How deep calls are nested at most.
const MAX_DEPTH: usize = 8;

/// Calls multiply: at most so many jobs come of one workflow that calls others.
const MAX_JOBS: usize = 10_000;

/// Reads and checks a workflow and all that it calls. `read` gives the text of a file by its path below the workspace;
/// its problem has no place yet, which is added here.
///
/// Returns what could be read, which is for looking at only unless there are no problems, and all problems: of each
/// file in source order, within that file, those of a called file with the chain of calls as causes; at most the first
/// 100.
pub fn load(
    source: &Source,
    read: &mut dyn FnMut(&str) -> Result<Source, Problem>,
) -> (Option<Workflow>, Vec<Problem>) {
    let mut loader = Loader { read, chain: Vec::new(), known: BTreeMap::new(), problems: Vec::new() };
    let workflow = loader.file(source);
    let mut problems = loader.problems;
    problems.truncate(MAX_PROBLEMS);
    (workflow, problems)
}

struct Loader<'r> {
    read: &'r mut dyn FnMut(&str) -> Result<Source, Problem>,
    /// The files around, outermost first, each with the job that calls the next.
    chain: Vec<(String, String)>,
    /// Files that have been read, with what the tree of their calls comes to; `None` if it had problems, which have been
    /// told.
    known: BTreeMap<String, Option<(Arc<Workflow>, Size)>>,
    problems: Vec<Problem>,
}

/// What a workflow comes to with all that it calls.
#[derive(Debug, Clone, Copy)]
struct Size {
    depth: usize,
    jobs: usize,
}

impl Loader<'_> {
    /// A file whose problems are told before those of what it calls.
    fn file(&mut self, source: &Source) -> Option<Workflow> {
        let node = match yaml::parse(source, &document::DIALECT) {
            Ok(node) => node,
            Err(problems) => {
                self.tell(source, problems);
                return None;
            }
        };
        let mut document = document::Document::new(source);
        let mut workflow = document.workflow(&node);
        let mut own = document.check.problems;
        let outer = std::mem::take(&mut self.problems);
        if let Some(workflow) = &mut workflow {
            self.calls(source, workflow, &mut own);
            check::workflow(workflow, &mut own);
        }
        let called = std::mem::replace(&mut self.problems, outer);
        own.sort_by_key(Problem::position);
        own.dedup();
        self.tell(source, own);
        self.problems.extend(called);
        workflow
    }

    fn tell(&mut self, source: &Source, problems: Vec<Problem>) {
        let by = |problem: Problem| {
            self.chain
                .iter()
                .rev()
                .fold(problem, |problem, (file, job)| problem.cause(format!("called by job `{job}` of `{file}`")))
        };
        let problems: Vec<Problem> = problems.into_iter().map(|problem| by(problem).within(source)).collect();
        self.problems.extend(problems);
    }

    fn calls(&mut self, source: &Source, workflow: &mut Workflow, own: &mut Vec<Problem>) {
        for (name, job) in &mut workflow.jobs {
            let Some(call) = &mut job.call else { continue };
            self.chain.push((source.name().to_owned(), name.clone()));
            let called = self.called(call);
            self.chain.pop();
            match called {
                Ok(called) => call.workflow = called,
                Err(problem) => own.push(problem),
            }
        }
        let size = size(workflow, &self.known);
        if size.depth > 0 && size.jobs > MAX_JOBS {
            let last = workflow.jobs.values().rev().find_map(|job| job.call.as_ref());
            let problem = Problem::new(codes::CALL_DEPTH, format!("calls make {} jobs of this workflow", size.jobs))
                .help(format!(
                    "at most {MAX_JOBS} are possible; a matrix in the called workflow makes cells, not jobs"
                ));
            own.push(last.iter().fold(problem, |problem, call| problem.at(call.file.span, "one of the calls")));
        }
    }

    /// `None` for a file with problems, which have been told.
    fn called(&mut self, call: &Call) -> Result<Option<Arc<Workflow>>, Problem> {
        let file = call.file.value.as_str();
        if let Some(begin) = self.chain.iter().position(|(around, _)| around == file) {
            let message = match &self.chain[begin..] {
                [_] => format!("`{file}` calls itself"),
                circle => format!("workflows call each other in a circle: {}", shown(circle, file)),
            };
            return Err(Problem::new(codes::CALL_CYCLE, message)
                .at(call.file.span, "closes the circle")
                .help("remove one of these calls; to do something again, use `matrix`, `for-each` or `retry`"));
        }
        let deeper = match self.known.get(file) {
            Some(Some((_, size))) => size.depth,
            _ => 0,
        };
        if self.chain.len() + deeper > MAX_DEPTH {
            let chain = shown(&self.chain, file);
            return Err(Problem::new(codes::CALL_DEPTH, format!("calls are nested more than {MAX_DEPTH} deep"))
                .at(call.file.span, "one call too many")
                .cause(chain)
                .help("let fewer workflows stand between the first and the last"));
        }
        if !self.known.contains_key(file) {
            let source = (self.read)(file).map_err(|problem| problem.at(call.file.span, "called here"))?;
            let before = self.problems.len();
            let workflow = self.file(&source).filter(|_| self.problems.len() == before);
            let workflow = workflow.map(|workflow| {
                let size = size(&workflow, &self.known);
                (Arc::new(workflow), size)
            });
            self.known.insert(file.to_owned(), workflow);
        }
        Ok(self.known.get(file).cloned().flatten().map(|(workflow, _)| workflow))
    }
}

fn size(workflow: &Workflow, known: &BTreeMap<String, Option<(Arc<Workflow>, Size)>>) -> Size {
    let mut size = Size { depth: 0, jobs: workflow.jobs.len() + workflow.hooks.len() };
    for call in workflow.jobs.values().filter_map(|job| job.call.as_ref()) {
        let called = known.get(&call.file.value).and_then(|known| known.as_ref()).map(|(_, size)| *size);
        size.depth = size.depth.max(1 + called.map_or(0, |called| called.depth));
        size.jobs = size.jobs.saturating_add(called.map_or(0, |called| called.jobs));
    }
    size
}

/// `` `sluice.yaml` calls `ci/a.yaml` calls `ci/b.yaml` ``
fn shown(chain: &[(String, String)], last: &str) -> String {
    let files = chain.iter().map(|(file, _)| file.as_str()).chain([last]);
    files.map(|file| format!("`{file}`")).collect::<Vec<_>>().join(" calls ")
}
