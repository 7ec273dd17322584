//! `sluice grants`

use std::fs;
use std::path::Path;

use serde_json::json;
use sluice_model::{Problem, Source};
use sluice_record::Run;

use crate::args::{GrantsCommand, LearnArgs};
use crate::discover::Found;
use crate::learn::{self, Lesson, Usage};
use crate::origin::Origin;
use crate::output::Output;
use crate::{exit, prepare};

pub fn run(command: &GrantsCommand, from: &Path, output: &Output) -> u8 {
    let GrantsCommand::Learn(args) = command;
    match learn(args, from, output) {
        Ok(()) => exit::PASSED,
        Err(problems) => {
            output.problems(&problems);
            exit::REFUSED
        }
    }
}

fn learn(args: &LearnArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let workspace = super::runs::workspace(from);
    let one = |problem: Problem| vec![problem];
    let runs = runs(args, &workspace).map_err(one)?;
    let Some(newest) = runs.first() else { return Ok(()) };
    let file = newest.info().map_err(|error| one(Problem::from(&error)))?.file;
    let found = Found { file: workspace.join(&file), workspace: workspace.clone() };
    let source = prepare::read(&found).map_err(one)?;
    let workflow = prepare::parse(&found)?;

    let mut usage = Usage::default();
    let (mut taught, mut left_out) = (Vec::new(), Vec::new());
    for run in &runs {
        // Deploy steps of a dry run do not come to what they need.
        let dry = Origin::read(run).is_ok_and(|origin| origin.is_dry_run());
        if !dry && is_of(run, &source).map_err(one)? {
            take_in(run, &mut usage).map_err(one)?;
            taught.push(run.id().as_str());
        } else {
            left_out.push(run.id().as_str());
        }
    }
    if taught.is_empty() {
        return Err(one(Problem::new("run::other-workflow", format!("`{file}` is not what ran any more"))
            .cause(format!("it has changed since run `{}`, or that was a dry run", newest.id()))
            .help("run it again, and learn from that run")));
    }
    let lesson = learn::learn(&source, &workflow, &usage);
    for run in left_out {
        output.message(&format!("run `{run}` is left out: its workflow was another one, or it was a dry run\n"));
    }
    told(&lesson, &file, &taught, args, from, output).map_err(one)
}

/// The runs that are meant, the newest first.
fn runs(args: &LearnArgs, workspace: &Path) -> Result<Vec<Run>, Problem> {
    let root = workspace.join(".sluice");
    let open = |wanted: &str| sluice_record::open(&root, wanted).map_err(|error| Problem::from(&error));
    let Some(last) = args.last else {
        let latest = ["latest".to_owned()];
        let wanted = if args.runs.is_empty() { &latest[..] } else { &args.runs };
        let mut runs = wanted.iter().map(|wanted| open(wanted)).collect::<Result<Vec<_>, _>>()?;
        runs.sort_unstable_by(|a, b| b.id().cmp(a.id()));
        runs.dedup_by(|a, b| a.id() == b.id());
        return Ok(runs);
    };
    let (all, _) = sluice_record::list(&root).map_err(|error| Problem::from(&error))?;
    let file = all.first().map(|info| info.file.clone()).unwrap_or_default();
    let of_file = all.iter().filter(|info| info.file == file).take(last.into());
    of_file.map(|info| open(info.id.as_str())).collect()
}

/// Whether the run ran this text.
fn is_of(run: &Run, source: &Source) -> Result<bool, Problem> {
    let text = run.workflow_text().map_err(|error| Problem::from(&error))?;
    let file = run.info().map_err(|error| Problem::from(&error))?.file;
    Ok(file == source.name() && text.is_some_and(|text| text == source.text()))
}

fn take_in(run: &Run, usage: &mut Usage) -> Result<(), Problem> {
    let plan = run.plan().map_err(|error| Problem::from(&error))?.unwrap_or_default();
    usage.plan(&plan).map_err(|error| {
        Problem::new("host::record-damaged", format!("the plan of run `{}` cannot be read", run.id()))
            .cause(error.to_string())
    })?;
    for event in run.events().map_err(|error| Problem::from(&error))? {
        usage.on_event(&event.map_err(|error| Problem::from(&error))?);
    }
    Ok(())
}

fn told(
    lesson: &Lesson,
    file: &str,
    runs: &[&str],
    args: &LearnArgs,
    from: &Path,
    output: &Output,
) -> Result<(), Problem> {
    let Lesson { proposals, notes, patch } = lesson;
    if args.json {
        let value = json!({ "file": file, "runs": runs, "proposals": proposals, "notes": notes, "patch": patch });
        output.result(&format!("{value:#}\n"));
        return Ok(());
    }
    for note in notes {
        output.message(&format!("no proposal for {note}\n"));
    }
    for proposal in proposals.iter().filter(|proposal| proposal.proposed.is_empty()) {
        let whose = if proposal.named { "its `grants` name" } else { "its plugin declares" };
        let place = format!("{}/{}", proposal.job, proposal.step);
        output.message(&format!("`{place}` used no `{}`, which {whose}\n", proposal.capability));
    }
    if patch.is_empty() {
        output.message(&format!("nothing to narrow in `{file}`\n"));
        return Ok(());
    }
    match &args.output {
        None => output.result(patch),
        Some(to) => {
            fs::write(from.join(to), patch).map_err(|error| {
                Problem::new("host::patch", format!("cannot write `{}`", to.display())).cause(error.to_string())
            })?;
            output.message(&format!("apply it: git apply {0}, or patch -p1 < {0}\n", to.display()));
        }
    }
    Ok(())
}
