//! Plans in files: what `sluice plan -o` writes, and `sluice run --plan` runs or refuses.
//!
//! The file holds the plan and what it was made from. A run plans again from the workspace and compares; nothing that
//! the file says is run as it stands there.

use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_model::Problem;
use sluice_plan::{Difference, Selection, differences};
use sluice_record::{RecordError, RunId};

use crate::args::WorkflowArgs;
use crate::change;
use crate::discover::Found;
use crate::prepare::{self, Prepared};

/// Grows when the meaning of a field changes.
const FORMAT: u64 = 1;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A longer file is no plan, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// A plan in a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BoundPlan {
    sluice_plan: u64,
    /// The version of sluice that wrote it.
    made_by: String,
    /// The workflow, relative to the workspace.
    file: String,
    /// What was given with `-i`.
    given: IndexMap<String, String>,
    selection: Selection,
    /// What was given with `--affected` and `--base`.
    #[serde(default)]
    affected: bool,
    #[serde(default)]
    base: Option<String>,
    /// The id of the run, if the workflow reads `run`. Such a plan can run only once.
    run: Option<RunId>,
    /// What `git` was, if the workflow reads it.
    git: Value,
    plan: Value,
    /// What the file is called in messages.
    #[serde(skip)]
    name: String,
}

impl BoundPlan {
    pub fn new(found: &Found, args: &WorkflowArgs, prepared: &Prepared, id: &RunId) -> Self {
        Self {
            sluice_plan: FORMAT,
            made_by: VERSION.to_owned(),
            file: found.display_name(),
            given: args.inputs.iter().cloned().collect(),
            selection: prepared.selection.clone(),
            affected: args.affected,
            base: args.base.clone(),
            run: prepared.workflow.uses_root("run").then(|| id.clone()),
            git: prepared.plan.context["git"].clone(),
            plan: prepared.plan.to_json(),
            name: String::new(),
        }
    }

    /// Writes the file whole or not at all. `name` is what people call it.
    pub fn write(&self, path: &Path, name: &Path) -> Result<(), Problem> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string());
        let written = text.and_then(|text| {
            let mut staged = tempfile::NamedTempFile::new_in(folder).map_err(|error| error.to_string())?;
            staged.write_all(format!("{text}\n").as_bytes()).map_err(|error| error.to_string())?;
            staged.as_file().sync_all().map_err(|error| error.to_string())?;
            staged.persist(path).map_err(|error| error.error.to_string())
        });
        written.map(drop).map_err(|reason| {
            Problem::new("plan::file", format!("cannot write the plan `{}`", name.display())).cause(reason)
        })
    }

    /// Reads a file. `name` is what people call it.
    pub fn read(path: &Path, name: &Path) -> Result<Self, Vec<Problem>> {
        let name = name.display().to_string();
        let bad = |reason: String| {
            vec![
                Problem::new("plan::file", format!("cannot read the plan `{name}`"))
                    .cause(reason)
                    .help(format!("make it anew: `sluice plan -o {name}`")),
            ]
        };
        let mut bytes = Vec::new();
        sluice_beneath::open_anywhere(path)
            .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
            .map_err(|error| bad(error.to_string()))?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| bad(format!("it is no JSON: {error}")))?;
        match value["sluice-plan"].as_u64() {
            None => Err(bad("it was not written by `sluice plan -o`".to_owned())),
            Some(FORMAT) => serde_json::from_value(value)
                .map(|bound| Self { name: name.clone(), ..bound })
                .map_err(|error| bad(format!("it is damaged: {error}"))),
            Some(other) => {
                let by = value["made-by"].as_str().unwrap_or("?");
                Err(bad(format!("it has the format {other}, written by sluice {by}; this is sluice {VERSION}")))
            }
        }
    }

    /// Plans again, from the workspace around `from`. `id` is for a run whose plan names none.
    ///
    /// # Errors
    /// All differences, if it is not the same plan any more; or that the plan has run already.
    pub fn again(self, from: &Path, id: RunId) -> Result<(Found, Prepared, RunId), Vec<Problem>> {
        let found = self.find(from).map_err(|problem| vec![problem])?;
        let id = self.run.clone().unwrap_or(id);
        if self.run.is_some() {
            self.check_not_run(&found, &id).map_err(|problem| vec![problem])?;
        }
        let args = WorkflowArgs {
            workflow: None,
            inputs: self.given.clone().into_iter().collect(),
            affected: self.affected,
            base: self.base.clone(),
        };
        let prepared = prepare::prepare(&found, &args, &self.selection, id.as_str())
            .map_err(|problems| self.other_version().into_iter().chain(problems).collect::<Vec<_>>())?;
        let planned = json!({"git": self.git, "plan": self.plan});
        let now = json!({"git": prepared.plan.context["git"], "plan": prepared.plan.to_json()});
        // What cannot be told from JSON apart is the same: 1 and 1.0 after a round trip.
        let now = serde_json::from_str(&now.to_string()).unwrap_or(now);
        let found_differences = differences(&planned, &now);
        if found_differences.is_empty() { Ok((found, prepared, id)) } else { Err(self.refuse(&found_differences)) }
    }

    fn find(&self, from: &Path) -> Result<Found, Problem> {
        let file = PathBuf::from(&self.file);
        let inside = file.components().all(|part| matches!(part, Component::Normal(_)));
        let workspace = from.ancestors().find(|folder| inside && folder.join(&file).is_file());
        workspace.map(|workspace| Found { file: workspace.join(&file), workspace: workspace.to_owned() }).ok_or_else(
            || {
                Problem::new("workflow::not-found", format!("the plan `{}` is of `{}`", self.name, self.file))
                    .cause("there is no such workflow in this folder or any above it")
                    .help("run the plan in the repository that it was made in")
            },
        )
    }

    fn check_not_run(&self, found: &Found, id: &RunId) -> Result<(), Problem> {
        match sluice_record::open(&found.workspace.join(".sluice"), id.as_str()) {
            Ok(_) => Err(Problem::new("plan::has-run", format!("the plan `{}` has run already", self.name))
                .cause(format!("the workflow reads `run`, so the plan is for the run `{id}`, which is recorded"))
                .help(format!("look at it: `sluice runs show {id}`; or plan anew: `sluice plan -o {}`", self.name))),
            Err(RecordError::NoRuns { .. } | RecordError::NoSuchRun { .. }) => Ok(()),
            Err(error) => Err(Problem::from(&error)),
        }
    }

    fn other_version(&self) -> Option<Problem> {
        (self.made_by != VERSION).then(|| {
            let message =
                format!("the plan `{}` was made by sluice {}, and this is {VERSION}", self.name, self.made_by);
            Problem::new("plan::changed", message).help("run it with the version that made it, or plan anew")
        })
    }

    /// One problem for each step, job or other place.
    fn refuse(&self, differences: &[Difference]) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.other_version().into_iter().collect();
        problems.extend(change::by_place(differences).into_iter().map(|(place, changes)| {
            let mut problem =
                Problem::new("plan::changed", format!("{place} is not as the plan `{}` has it", self.name));
            problem.causes = changes;
            problem
        }));
        if let Some(last) = problems.last_mut() {
            last.help =
                Some(format!("nothing ran; if this is what should run, plan anew: `sluice plan -o {}`", self.name));
        }
        problems
    }
}
