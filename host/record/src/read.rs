//! Reading records.

use std::fs::{self, TryLockError};
use std::path::{Path, PathBuf};

use sluice_model::{EventKind, StepId, name};

use crate::error::RecordError;
use crate::events::{self, Events};
use crate::folder;
use crate::id::RunId;
use crate::info::{RunInfo, State};

/// All runs below `root` (`.sluice` of the workspace), newest first, and what could not be read. No folder, no runs.
pub fn list(root: &Path) -> Result<(Vec<RunInfo>, Vec<RecordError>), RecordError> {
    let (mut runs, mut problems) = (Vec::new(), Vec::new());
    for id in ids(root)? {
        match Run::new(root, id).info() {
            Ok(info) => runs.push(info),
            Err(error) => problems.push(error),
        }
    }
    Ok((runs, problems))
}

/// Finds one run: by its id, by a beginning of its id that no other run has, or the newest by `latest`.
pub fn open(root: &Path, wanted: &str) -> Result<Run, RecordError> {
    let ids = ids(root)?;
    let Some(latest) = ids.first().cloned() else { return Err(RecordError::NoRuns { root: root.to_owned() }) };
    let candidates: Vec<RunId> = match wanted {
        "latest" => vec![latest.clone()],
        prefix => ids.into_iter().filter(|id| id.as_str().starts_with(prefix)).collect(),
    };
    match <[RunId; 1]>::try_from(candidates) {
        Ok([id]) => Ok(Run::new(root, id)),
        Err(none) if none.is_empty() => Err(RecordError::NoSuchRun { wanted: wanted.to_owned(), latest }),
        Err(candidates) => Err(RecordError::Ambiguous { wanted: wanted.to_owned(), candidates }),
    }
}

/// The names of all runs, newest first. What is no folder, or has another name, is not ours.
pub(crate) fn ids(root: &Path) -> Result<Vec<RunId>, RecordError> {
    let runs = root.join("runs");
    if !folder::check(root)? || !folder::check(&runs)? {
        return Ok(Vec::new());
    }
    let mut ids = Vec::new();
    for entry in fs::read_dir(&runs).map_err(RecordError::io("read", &runs))? {
        let entry = entry.map_err(RecordError::io("read", &runs))?;
        // The type of the entry itself, not of what a link points to.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()).filter(|_| is_folder) {
            ids.push(id);
        }
    }
    ids.sort_unstable_by(|a: &RunId, b| b.cmp(a));
    Ok(ids)
}

/// One recorded run.
#[derive(Debug)]
pub struct Run {
    folder: PathBuf,
    id: RunId,
}

impl Run {
    pub(crate) fn new(root: &Path, id: RunId) -> Self {
        Self { folder: root.join("runs").join(id.as_str()), id }
    }

    pub fn id(&self) -> &RunId {
        &self.id
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The plan as it was given to the recorder; `None` if a crash came before it was written.
    pub fn plan(&self) -> Result<Option<Vec<u8>>, RecordError> {
        folder::read_plain(&self.folder.join("plan.json"))
    }

    /// The text of the workflow; `None` if a crash came before it was written.
    pub fn workflow_text(&self) -> Result<Option<String>, RecordError> {
        let bytes = folder::read_plain(&self.folder.join("workflow.yaml"))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// From what the plan can be made again, as it was given to the recorder; `None` if a crash came before it was
    /// written.
    pub fn origin(&self) -> Result<Option<Vec<u8>>, RecordError> {
        folder::read_plain(&self.folder.join("origin.json"))
    }

    /// The events in order, read as they are asked for.
    pub fn events(&self) -> Result<Events, RecordError> {
        let (file, path) = events::open(&self.folder)?;
        Ok(Events::new(file, path))
    }

    /// The summary, if there is one that can be read and is of this run.
    pub(crate) fn summary(&self) -> Result<Option<RunInfo>, RecordError> {
        let bytes = folder::read_plain(&self.folder.join("summary.json"))?;
        let summary = bytes.and_then(|bytes| serde_json::from_slice::<RunInfo>(&bytes).ok());
        Ok(summary.filter(|summary| summary.id == self.id))
    }

    /// What it came to: from the summary, or from the events if there is none that can be read.
    pub fn info(&self) -> Result<RunInfo, RecordError> {
        if let Some(summary) = self.summary()? {
            return Ok(summary);
        }
        let mut info = RunInfo::new(self.id.clone());
        for event in self.events()? {
            info.add(&event?);
        }
        if matches!(info.state, State::Interrupted | State::WaitsForApproval) {
            info.state = match (self.is_alive()?, events::is_incomplete(&self.folder)) {
                (true, _) => State::Running,
                (false, true) => State::Incomplete,
                (false, false) => info.state,
            };
        }
        Ok(info)
    }

    /// The log lines of the run, of one job (`build`), or of one step (`build/archive`, or `archive` if no job is named so).
    pub fn logs(
        &self,
        of: Option<&str>,
    ) -> Result<impl Iterator<Item = Result<Entry, RecordError>> + use<>, RecordError> {
        let wanted = of.map(|of| self.steps(of)).transpose()?;
        Ok(self.events()?.filter_map(move |event| match event {
            Err(error) => Some(Err(error)),
            Ok(event) => match event.kind {
                EventKind::Log { id, stream, level, text } if wanted.as_ref().is_none_or(|ids| ids.contains(&id)) => {
                    Some(Ok(Entry { at: event.at, id, stream, level, text }))
                }
                _ => None,
            },
        }))
    }

    /// The steps that a name means: those of a job, one step of a job, steps of this id, the cells of a job, the items of a
    /// step; what comes first in this list. None if the run has no steps yet.
    pub fn steps(&self, of: &str) -> Result<Vec<StepId>, RecordError> {
        let mut all: Vec<StepId> = Vec::new();
        for event in self.events()? {
            let ids: Vec<StepId> = match event?.kind {
                EventKind::RunStarted { jobs, .. }
                | EventKind::RunResumed { jobs, .. }
                | EventKind::JobExpanded { cells: jobs, .. } => {
                    let ids = |(job, steps): (&String, &Vec<String>)| {
                        steps.iter().map(|step| StepId::new(job, step)).collect::<Vec<_>>()
                    };
                    jobs.iter().flat_map(ids).collect()
                }
                EventKind::StepExpanded { id, items } => {
                    items.into_iter().map(|item| StepId::new(&id.job, item)).collect()
                }
                _ => continue,
            };
            all.extend(ids);
        }
        if all.is_empty() {
            return Ok(all);
        }
        // The whole name comes before a part of it: a job, a step of a job, a step, the cells of a job, the items of a
        // step.
        let rules: [&dyn Fn(&StepId) -> bool; 5] = [
            &|id| id.job == of,
            &|id| id.to_string() == of,
            &|id| id.step == of,
            &|id| name::job_of(&id.job) == of,
            &|id| format!("{}/{}", id.job, name::step_of(&id.step)) == of,
        ];
        let found = rules.iter().map(|rule| all.iter().filter(|id| rule(id)).cloned().collect::<Vec<_>>());
        found.into_iter().find(|found| !found.is_empty()).ok_or_else(|| RecordError::NoSuchStep {
            wanted: of.to_owned(),
            known: all.iter().map(ToString::to_string).collect(),
        })
    }

    /// Whether the process that writes the record still lives: it holds a lock on the events.
    pub(crate) fn is_alive(&self) -> Result<bool, RecordError> {
        let (Some(events), _) = events::open(&self.folder)? else { return Ok(false) };
        Ok(matches!(events.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// One entry of a step's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Milliseconds since the Unix epoch.
    pub at: u64,
    pub id: StepId,
    pub stream: sluice_model::event::Stream,
    pub level: sluice_model::event::Level,
    /// One line or more, without the last line feed.
    pub text: String,
}
