//! From what the plan of a run can be made again: kept in its record.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_model::{Problem, Source};
use sluice_plan::{Facts, Selection};
use sluice_record::Run;

use crate::called;
use crate::prepare::{self, Prepared};

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
}

impl Origin {
    pub fn new(prepared: &Prepared, settings: Settings) -> Self {
        Self {
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            file: prepared.plan.source.name().to_owned(),
            called: called::texts(&prepared.called),
            given: prepared.given.clone(),
            selection: prepared.selection.clone(),
            facts: prepared.facts.clone(),
            settings,
        }
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

    /// Makes the plan of a recorded run again.
    ///
    /// # Errors
    /// If it is not the same any more: a plugin, or sluice itself, has changed.
    pub fn again(&self, run: &Run, workspace: &Path) -> Result<Prepared, Vec<Problem>> {
        let prepared = self.plan(run, workspace, self.facts.clone())?;
        let recorded = run.plan().map_err(|error| vec![Problem::from(&error)])?.unwrap_or_default();
        let recorded: Value = serde_json::from_slice(&recorded).unwrap_or_default();
        // What cannot be told apart in JSON is the same: 1 and 1.0 after a round trip.
        let now: Value = serde_json::from_str(&prepared.plan.to_json().to_string()).unwrap_or_default();
        if recorded == now {
            return Ok(prepared);
        }
        let mut problem =
            Problem::new("run::plan-changed", format!("the plan of run `{}` is not the same any more", run.id()))
                .help("a plugin or sluice itself has changed since; run the workflow again: `sluice run`");
        problem.causes = changes(&recorded, &now, self.made_by.as_str());
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

/// What people should look at: plugins whose digest is another one.
fn changes(recorded: &Value, now: &Value, made_by: &str) -> Vec<String> {
    let mut causes = Vec::new();
    if made_by != env!("CARGO_PKG_VERSION") {
        causes.push(format!("it was made by sluice {made_by}, and this is {}", env!("CARGO_PKG_VERSION")));
    }
    let (old, new) = (digests(recorded), digests(now));
    for (plugin, digest) in &new {
        if let Some((_, before)) = old.iter().find(|(name, before)| name == plugin && before != digest) {
            let cause = format!("plugin `{plugin}` was {before}, and is {digest}");
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
    }
    causes
}

/// Every plugin of a plan with its digest.
fn digests(plan: &Value) -> Vec<(String, String)> {
    match plan {
        Value::Object(fields) => {
            let own = (fields.get("uses").and_then(Value::as_str), fields.get("digest").and_then(Value::as_str));
            let own = match own {
                (Some(uses), Some(digest)) => vec![(uses.to_owned(), digest.to_owned())],
                _ => Vec::new(),
            };
            own.into_iter().chain(fields.values().flat_map(digests)).collect()
        }
        Value::Array(items) => items.iter().flat_map(digests).collect(),
        _ => Vec::new(),
    }
}
