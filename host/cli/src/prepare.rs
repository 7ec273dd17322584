//! Everything before a run: find, read, check, load plugins, plan. Collects problems; runs nothing.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde_json::json;
use sluice_model::{PluginRef, Problem, Source};
use sluice_plan::{Facts, Plan, Plugins, Selection, SharedPolicies};
use sluice_record::RunId;
use sluice_registry::Component;
use sluice_workflow::Workflow;

use crate::args::WorkflowArgs;
use crate::discover::Found;
use crate::file_hashes::file_hashes;
use crate::git::{self, Changes, Git};
use crate::{called, confinement, lock_file, plugins, policy, policy_signatures};

/// A workflow file longer than this is not read, in bytes; the parser's own limit is lower and says more.
const MAX_BYTES: u64 = 16 << 20;

/// A plan and what it needs to be run.
pub struct Prepared {
    /// What was asked for of it.
    pub workflow: Workflow,
    /// The files that it calls, whatever was asked for of it.
    pub called: Vec<Source>,
    /// What was given on the command line, and what else the plan was made from.
    pub given: Vec<(String, String)>,
    pub selection: Selection,
    pub facts: Facts,
    pub plan: Plan,
    /// What people should know of `--affected`.
    pub note: Option<String>,
    pub components: Components,
}

/// Reads the file of a workflow.
pub fn read(found: &Found) -> Result<Source, Problem> {
    let name = found.display_name();
    let unreadable =
        |reason: String| Problem::new("workflow::unreadable", format!("cannot read `{name}`")).cause(reason);
    let mut bytes = Vec::new();
    sluice_beneath::open_anywhere(&found.file)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unreadable(format!("it is larger than {} MiB", MAX_BYTES >> 20)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..valid];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            Err(unreadable(format!("it is not UTF-8: line {line} has the byte 0x{:02x}", error.as_bytes()[valid]))
                .help("save the file in the encoding UTF-8"))
        }
    }
}

/// Reads and checks a workflow with all that it calls.
pub fn parse(found: &Found) -> Result<Workflow, Vec<Problem>> {
    let source = read(found).map_err(|problem| vec![problem])?;
    parse_source(&source, &mut |file| called::read(file, &found.workspace))
}

fn parse_source(
    source: &Source,
    read: &mut dyn FnMut(&str) -> Result<Source, Problem>,
) -> Result<Workflow, Vec<Problem>> {
    match sluice_workflow::load(source, read) {
        (Some(mut workflow), problems) if problems.is_empty() => {
            if workflow.name.is_empty() {
                let file = Path::new(source.name()).file_stem().unwrap_or_default();
                workflow.name = file.to_string_lossy().into_owned();
            }
            Ok(workflow)
        }
        (_, problems) => Err(problems),
    }
}

/// Plans a workflow, or a part of it, with what was given on the command line. `run_id` is what `run.id` stands for.
pub fn prepare(
    found: &Found,
    args: &WorkflowArgs,
    selection: &Selection,
    run_id: &str,
) -> Result<Prepared, Vec<Problem>> {
    prepare_for(found, args, selection, run_id, None)
}

/// The same, for what concerns these files alone; `None` for what was asked for on the command line.
pub fn prepare_for(
    found: &Found,
    args: &WorkflowArgs,
    selection: &Selection,
    run_id: &str,
    changed: Option<Vec<String>>,
) -> Result<Prepared, Vec<Problem>> {
    let policies = policy::read(&found.workspace)?;
    prepare_under(found, args, selection, run_id, changed, &policies)
}

/// The same under these policies.
pub fn prepare_under(
    found: &Found,
    args: &WorkflowArgs,
    selection: &Selection,
    run_id: &str,
    changed: Option<Vec<String>>,
    policies: &SharedPolicies,
) -> Result<Prepared, Vec<Problem>> {
    let workflow = parse(found)?;
    let called = called::sources(&workflow);
    let workflow = sluice_plan::select(workflow, selection)?;
    let inputs = sluice_workflow::bind_inputs(&workflow, &args.inputs)?;
    let (plugins, components) = load(&workflow, &found.workspace)?;
    let git = (workflow.uses_root("git") || args.affected || args.base.is_some()).then(|| Git::new(&found.workspace));
    let changes = match &git {
        Some(git) if reads_changes(&workflow) || args.affected || args.base.is_some() => {
            Some(git::changes(git, args.base.as_deref()).map_err(|problem| vec![problem])?)
        }
        _ => None,
    };
    let mut facts = facts(&workflow, found, git.as_ref(), changes.as_ref(), run_id)?;
    let mut note = None;
    if changed.is_some() {
        facts.changed = changed;
    } else if let Some(changes) = changes.filter(|_| args.affected) {
        let every = if changes.files.is_none() { "; every file counts as changed" } else { "" };
        note = changes.note.map(|note| format!("note: {note}{every}\n"));
        facts.changed = changes.files;
    }
    let policies = signed(policies, &plugins, &found.workspace)?;
    let plan = sluice_plan::plan(&workflow, &plugins, inputs, facts.clone(), &policies)?;
    let (given, selection) = (args.inputs.clone(), selection.clone());
    Ok(Prepared { workflow, called, given, selection, facts, note, plan, components })
}

fn facts(
    workflow: &Workflow,
    found: &Found,
    git: Option<&Git>,
    changes: Option<&Changes>,
    run_id: &str,
) -> Result<Facts, Vec<Problem>> {
    Ok(confinement::facts(Facts {
        git: git.filter(|_| workflow.uses_root("git")).map(|git| git::facts(git, changes)),
        run: json!({"id": run_id, "workflow": workflow.name}),
        file_hashes: file_hashes(workflow, &found.workspace)?,
        changed: None,
        builtins: sluice_registry::builtin_names().map(str::to_owned).collect(),
        ..Facts::default()
    }))
}

fn reads_changes(workflow: &Workflow) -> bool {
    workflow.files().into_iter().any(|workflow| workflow.reads_changes)
}

/// Plans a recorded workflow with what it was planned with before, under the policies of today. `called` are the texts of the files that it calls.
pub fn again(
    source: &Source,
    called: &BTreeMap<String, String>,
    workspace: &Path,
    given: &[(String, String)],
    selection: &Selection,
    facts: Facts,
) -> Result<Prepared, Vec<Problem>> {
    let workflow = parse_source(source, &mut |file| called::recorded(file, called))?;
    let called = called::sources(&workflow);
    let workflow = sluice_plan::select(workflow, selection)?;
    let inputs = sluice_workflow::bind_inputs(&workflow, given)?;
    let (plugins, components) = load(&workflow, workspace)?;
    let policies = signed(&policy::read(workspace)?, &plugins, workspace)?;
    let plan = sluice_plan::plan(&workflow, &plugins, inputs, facts.clone(), &policies)?;
    let (given, selection) = (given.to_vec(), selection.clone());
    Ok(Prepared { workflow, called, given, selection, facts, note: None, plan, components })
}

impl Prepared {
    /// The same for a run with another id.
    pub fn renamed(self, workspace: &Path, id: &RunId) -> Result<Self, Vec<Problem>> {
        let Self { called, given, selection, mut facts, note, plan, .. } = self;
        facts.run["id"] = json!(id.as_str());
        Ok(Self { note, ..again(&plan.source, &called::texts(&called), workspace, &given, &selection, facts)? })
    }
}

/// Checks a workflow as far as that is possible without inputs: required ones get a value of their type.
pub fn check(found: &Found) -> Result<(), Vec<Problem>> {
    let workflow = parse(found)?;
    let given: Vec<(String, String)> = workflow
        .inputs
        .iter()
        .filter(|(_, input)| input.default.is_none())
        .map(|(name, input)| (name.clone(), example_value(input)))
        .collect();
    let inputs = sluice_workflow::bind_inputs(&workflow, &given)?;
    let (plugins, _) = load(&workflow, &found.workspace)?;
    let git = workflow.uses_root("git").then(|| Git::new(&found.workspace));
    let changes = match &git {
        Some(git) if reads_changes(&workflow) => Some(git::changes(git, None).map_err(|problem| vec![problem])?),
        _ => None,
    };
    let facts = facts(&workflow, found, git.as_ref(), changes.as_ref(), "check")?;
    let policies = signed(&policy::read(&found.workspace)?, &plugins, &found.workspace)?;
    sluice_plan::plan(&workflow, &plugins, inputs, facts, &policies).map(|_| ())
}

fn example_value(input: &sluice_workflow::workflow::Input) -> String {
    use sluice_workflow::workflow::InputType;
    if let Some(option) = input.options.first() {
        return option.as_str().map_or_else(|| option.to_string(), str::to_owned);
    }
    match input.kind {
        // A value that also passes where a URL is asked for.
        InputType::String => "https://example.com/".into(),
        InputType::Integer | InputType::Number => "1".into(),
        InputType::Boolean => "false".into(),
        InputType::List => "example".into(),
    }
}

/// The policies, with what they want to know of signatures.
fn signed(policies: &SharedPolicies, plugins: &Plugins, workspace: &Path) -> Result<SharedPolicies, Vec<Problem>> {
    Ok(policy_signatures::answer(policies, plugins, &lock_file::read(workspace)?, workspace))
}

type Components = BTreeMap<PluginRef, Component>;

/// The plugins of a workflow, as far as the lock lets them in.
fn load(workflow: &Workflow, workspace: &Path) -> Result<(Plugins, Components), Vec<Problem>> {
    let lock = lock_file::read(workspace)?;
    let (mut plugins, mut components) = (Plugins::new(), BTreeMap::new());
    let files = workflow.files();
    for reference in files.iter().flat_map(|file| file.all_steps()).map(|step| &step.uses.value) {
        if plugins.contains_key(reference) {
            continue;
        }
        match plugins::load_locked(reference, &lock, workspace) {
            Ok(loaded) => {
                plugins.insert(reference.clone(), Ok(loaded.info));
                components.insert(reference.clone(), loaded.component);
            }
            Err(problem) => {
                plugins.insert(reference.clone(), Err(problem));
            }
        }
    }
    Ok((plugins, components))
}
