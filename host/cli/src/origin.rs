//! From what the plan of a run can be made again: kept in its record.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_model::{Problem, Source};
use sluice_plan::{Difference, Facts, Selection, differences};
use sluice_record::Run;

use crate::called;
use crate::change;
use crate::prepare::{self, Prepared};

/// Changes of so many places are told.
const MAX_CAUSES: usize = 10;

/// How a run was asked for, beside its workflow and inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    pub dry_run: bool,
    pub fail_fast: bool,
    /// Jobs at once; `None` for the number of processors.
    pub max_parallel: Option<NonZeroUsize>,
}

/// The origin of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Origin {
    /// The version of sluice that made it.
    made_by: String,
    /// The workflow file, relative to the workspace.
    file: String,
    /// The texts of the files that it calls.
    #[serde(default)]
    called: BTreeMap<String, String>,
    /// What was given with `-i`.
    given: Vec<(String, String)>,
    selection: Selection,
    facts: Facts,
    settings: Settings,
    /// The user of the system who started the run.
    #[serde(default)]
    started_by: Option<String>,
}

impl Origin {
    pub fn new(prepared: &Prepared, settings: Settings, started_by: Option<String>) -> Self {
        Self {
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            file: prepared.plan.source.name().to_owned(),
            called: called::texts(&prepared.called),
            given: prepared.given.clone(),
            selection: prepared.selection.clone(),
            facts: prepared.facts.clone(),
            settings,
            started_by,
        }
    }

    pub fn is_dry_run(&self) -> bool {
        self.settings.dry_run
    }

    pub fn to_json(&self) -> Vec<u8> {
        // Plain data, written to memory: there is nothing to fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the origin of a recorded run.
    pub fn read(run: &Run) -> Result<Self, Problem> {
        let unreadable = |reason: String| {
            Problem::new("run::no-origin", format!("run `{}` cannot be made again", run.id()))
                .cause(reason)
                .help("run the workflow again: `sluice run`")
        };
        let bytes = run.origin().map_err(|error| Problem::from(&error))?;
        let bytes = bytes.ok_or_else(|| unreadable("it ended before its plan was recorded".to_owned()))?;
        serde_json::from_slice(&bytes).map_err(|error| unreadable(format!("`origin.json` cannot be read: {error}")))
    }

    pub fn settings(&self) -> Settings {
        self.settings
    }

    pub fn started_by(&self) -> Option<String> {
        self.started_by.clone()
    }

    /// Makes the plan of a recorded run again, under the policies of today.
    ///
    /// # Errors
    /// If it is not the same any more: a plugin, or sluice itself, has changed.
    pub fn again(&self, run: &Run, workspace: &Path) -> Result<Prepared, Vec<Problem>> {
        let prepared = self.plan(run, workspace, self.facts.clone())?;
        let recorded = run.plan().map_err(|error| vec![Problem::from(&error)])?.unwrap_or_default();
        let mut recorded: Value = serde_json::from_slice(&recorded).unwrap_or_default();
        // What cannot be told apart in JSON is the same: 1 and 1.0 after a round trip.
        let mut now: Value = serde_json::from_slice(&prepared.plan.json_line()).unwrap_or_default();
        // A policy that has changed since, and permits this plan, keeps nobody from going on with it.
        for plan in [&mut recorded, &mut now] {
            plan.as_object_mut().map(|plan| plan.remove("policy"));
        }
        let differences = differences(&json!({"plan": recorded}), &json!({"plan": now}));
        if differences.is_empty() {
            return Ok(prepared);
        }
        let mut problem =
            Problem::new("run::plan-changed", format!("the plan of run `{}` is not the same any more", run.id()))
                .help("a plugin or sluice itself has changed since; run the workflow again: `sluice run`");
        problem.causes = causes(&differences, &self.made_by);
        Err(vec![problem])
    }

    /// Plans the recorded workflow for another run.
    pub fn anew(&self, run: &Run, workspace: &Path, id: &str) -> Result<Prepared, Vec<Problem>> {
        let mut facts = self.facts.clone();
        facts.run["id"] = Value::from(id);
        self.plan(run, workspace, facts)
    }

    fn plan(&self, run: &Run, workspace: &Path, facts: Facts) -> Result<Prepared, Vec<Problem>> {
        let text = run.workflow_text().map_err(|error| vec![Problem::from(&error)])?.unwrap_or_default();
        let source = Source::new(self.file.clone(), text);
        prepare::again(&source, &self.called, workspace, &self.given, &self.selection, facts)
    }
}

/// What people should look at.
fn causes(differences: &[Difference], made_by: &str) -> Vec<String> {
    let version = env!("CARGO_PKG_VERSION");
    let other = format!("it was made by sluice {made_by}, and this is {version}");
    let places = change::by_place(differences).into_iter();
    let changes = places.map(|(place, changes)| format!("{place}: {}", changes.join("; "))).take(MAX_CAUSES);
    Some(other).filter(|_| made_by != version).into_iter().chain(changes).collect()
}
