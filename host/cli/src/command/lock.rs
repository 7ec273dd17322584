//! `sluice lock`

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use sluice_model::{Lock, PluginRef, Problem, Source, Span};
use sluice_plan::{LOCK_UNUSED, NOT_LOCKED};

use super::plugin::add::candidate;
use crate::args::LockArgs;
use crate::output::Output;
use crate::{discover, exit, lock_file, plugins, prepare};

/// Every plugin that workflows use and a lock is about, with the first place where each stands.
type Used = BTreeMap<PluginRef, (Source, Span)>;

pub fn run(args: &LockArgs, from: &Path, output: &Output) -> u8 {
    let workspace = lock_file::workspace(from);
    let mut report = Report::default();
    let done = agree(args, from, &workspace, &mut report);
    let problems = done.err().unwrap_or_default();
    if args.json {
        let all: Vec<Value> = problems.iter().map(sluice_report::problems::to_json).collect();
        output.result(&format!("{:#}\n", json!({"added": report.added, "removed": report.removed, "problems": all})));
    } else {
        output.result(&report.text(args.check, problems.is_empty()));
        if !problems.is_empty() {
            output.problems(&problems);
        }
    }
    if problems.is_empty() { exit::PASSED } else { exit::REFUSED }
}

#[derive(Default)]
struct Report {
    added: Vec<String>,
    removed: Vec<String>,
}

impl Report {
    fn text(&self, check: bool, good: bool) -> String {
        let added = self.added.iter().map(|name| format!("added {name}\n"));
        let lines: String = added.chain(self.removed.iter().map(|name| format!("removed {name}\n"))).collect();
        match (lines.is_empty(), good, check) {
            (true, true, true) => "sluice.lock agrees with the workflows\n".to_owned(),
            (true, true, false) => "sluice.lock agrees with the workflows; nothing to do\n".to_owned(),
            _ => lines,
        }
    }
}

fn agree(args: &LockArgs, from: &Path, workspace: &Path, report: &mut Report) -> Result<(), Vec<Problem>> {
    let used = used(&args.workflows, from, workspace)?;
    let mut lock = lock_file::read(workspace)?;
    let unused: Vec<PluginRef> = lock.plugins().iter().map(|locked| locked.reference.clone()).collect();
    let unused = unused.into_iter().filter(|locked| !used.keys().any(|used| used.is_same(locked))).collect::<Vec<_>>();
    let wanted = used.iter().filter(|(used, _)| used.is_outside() || lock.get(used).is_some()).collect::<Vec<_>>();
    let mut problems = Vec::new();
    for (reference, (source, span)) in wanted {
        let done = if lock.get(reference).is_some() {
            plugins::load_locked(reference, &lock, workspace).map(|_| ())
        } else if args.check {
            Err(Problem::new(NOT_LOCKED, format!("`{reference}` is not in `sluice.lock`"))
                .help(format!("look at what it asks for: sluice plugin add {reference}")))
        } else {
            accept(reference, args.accept, workspace, &mut lock, report)
        };
        problems.extend(done.err().map(|problem| problem.at(*span, "used here").within(source)));
    }
    for reference in &unused {
        if args.check {
            let message = format!("no workflow uses `{reference}`, and `sluice.lock` has it");
            problems.push(Problem::new(LOCK_UNUSED, message).help("to drop it: sluice lock"));
        } else {
            lock.remove(reference);
            report.removed.push(reference.to_string());
        }
    }
    if !args.check {
        lock_file::write(workspace, &lock).map_err(|problem| vec![problem])?;
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn accept(
    reference: &PluginRef,
    accept: bool,
    workspace: &Path,
    lock: &mut Lock,
    report: &mut Report,
) -> Result<(), Problem> {
    let candidate = candidate(reference, lock, workspace)?;
    if let (_, Some(problem)) = candidate.wants(lock)
        && !accept
    {
        return Err(problem);
    }
    report.added.push(format!("{reference} ({})", candidate.locked.title()));
    lock.insert(candidate.locked);
    Ok(())
}

/// What the workflows of the workspace use, and those that are named.
fn used(names: &[String], from: &Path, workspace: &Path) -> Result<Used, Vec<Problem>> {
    let (mut used, mut problems) = (Used::new(), Vec::new());
    let named = names.iter().map(|name| discover::find(from, Some(name)));
    let all: Vec<_> = discover::in_workspace(workspace).into_iter().map(Ok).chain(named).collect();
    if all.is_empty() {
        // A lock without any workflow is hardly meant: everything in it would be dropped.
        return Err(discover::nearest(from).err().into_iter().collect());
    }
    for found in all {
        let workflow = match found.map_err(|problem| vec![problem]).and_then(|found| prepare::parse(&found)) {
            Ok(workflow) => workflow,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        for file in workflow.files() {
            for step in file.all_steps() {
                if !matches!(step.uses.value, PluginRef::Builtin(_)) {
                    let place = || (file.source.clone(), step.uses.span);
                    used.entry(step.uses.value.clone()).or_insert_with(place);
                }
            }
        }
    }
    if problems.is_empty() { Ok(used) } else { Err(problems) }
}
