//! Removing old records, and artifacts that no record refers to.
//!
//! What goes is renamed first and deleted then, so that a crash leaves records whole or gone; what it left is deleted
//! the next time. Only plain folders with names of runs are touched, and no symbolic link is followed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::RecordError;
use crate::events;
use crate::folder;
use crate::id::RunId;
use crate::info::{RunInfo, State};
use crate::read::{Run, ids};

/// Names of what is being deleted begin so.
const LEAVING: &str = ".leaving-";

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Which runs are kept: those that satisfy all that is given. Runs that have not ended are always kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retention {
    /// The newest so many of each workflow.
    pub runs: Option<u64>,
    /// Those that began at most so many days ago.
    pub days: Option<u64>,
    /// Only runs of the workflow of this name may go.
    pub workflow: Option<String>,
}

/// What was removed, or would be.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Oldest first, each with its size in bytes.
    pub runs: Vec<(RunInfo, u64)>,
    /// Artifacts, and their bytes.
    pub artifacts: u64,
    pub artifact_bytes: u64,
    /// What could not be removed or read, and stays.
    pub errors: Vec<RecordError>,
}

impl Pruned {
    pub fn bytes(&self) -> u64 {
        self.runs.iter().map(|(_, bytes)| bytes).sum::<u64>() + self.artifact_bytes
    }
}

/// Removes runs below `root` (`.sluice` of the workspace) that are not to be kept. `now` is in milliseconds since the
/// Unix epoch. With `pretend` nothing is changed.
///
/// # Errors
/// If the records cannot be listed; what fails later is in [`Pruned::errors`].
pub fn prune(root: &Path, retention: &Retention, now: u64, pretend: bool) -> Result<Pruned, RecordError> {
    let mut pruned = Pruned::default();
    let folder = root.join("runs");
    let all = ids(root)?;
    if !pretend {
        pruned.errors.extend(delete_leaving(&folder));
    }
    let mut going = Vec::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for id in all {
        let run = Run::new(root, id);
        match run.info() {
            Ok(info) if matches!(info.state, State::Finished(_)) => {
                let place = seen.entry(info.workflow.clone()).or_default();
                *place += 1;
                let old =
                    retention.days.is_some_and(|days| now.saturating_sub(info.started) > days.saturating_mul(DAY));
                let surplus = retention.runs.is_some_and(|runs| *place > runs);
                let meant = retention.workflow.as_ref().is_none_or(|name| *name == info.workflow);
                if meant && (old || surplus) {
                    going.push((run, info));
                }
            }
            Ok(_) => {}
            Err(error) => pruned.errors.push(error),
        }
    }
    for (run, info) in going.into_iter().rev() {
        let bytes = size(run.folder());
        match if pretend { Ok(true) } else { remove(&run, &folder) } {
            Ok(true) => pruned.runs.push((info, bytes)),
            Ok(false) => {}
            Err(error) => pruned.errors.push(error),
        }
    }
    let gone: BTreeSet<RunId> = pruned.runs.iter().map(|(info, _)| info.id.clone()).collect();
    match remove_artifacts(root, &gone, pretend) {
        Ok((artifacts, bytes)) => (pruned.artifacts, pruned.artifact_bytes) = (artifacts, bytes),
        Err(error) => pruned.errors.push(error),
    }
    Ok(pruned)
}

/// False if the run lives after all, or somebody else has removed it.
fn remove(run: &Run, runs: &Path) -> Result<bool, RecordError> {
    // Held until the folder has its new name, so that nobody goes on with the run meanwhile.
    let (events, _) = events::open(run.folder())?;
    if let Some(events) = &events
        && matches!(events.try_lock(), Err(TryLockError::WouldBlock))
    {
        return Ok(false);
    }
    let leaving = runs.join(format!("{LEAVING}{}", run.id()));
    match fs::rename(run.folder(), &leaving) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        renamed => renamed.map_err(RecordError::io("remove", run.folder()))?,
    }
    fs::remove_dir_all(&leaving).map_err(RecordError::io("remove", &leaving))?;
    Ok(true)
}

/// Deletes what a crash kept from being deleted.
fn delete_leaving(folder: &Path) -> Vec<RecordError> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let leaving = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(LEAVING));
    let delete = |path: PathBuf, is_folder| {
        let deleted = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        deleted.err().filter(|error| error.kind() != io::ErrorKind::NotFound).map(RecordError::io("remove", &path))
    };
    leaving.filter_map(|entry| delete(entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir()))).collect()
}

/// Removes artifacts whose digest stands in no record but those in `gone`. Gives their number and bytes.
///
/// A run that is under way may refer to an artifact before its record does, so nothing goes while one is. One that
/// begins while this function works is seen by the second look, since its record comes before its artifacts; then
/// everything gets its name back.
fn remove_artifacts(root: &Path, gone: &BTreeSet<RunId>, pretend: bool) -> Result<(u64, u64), RecordError> {
    let folder = root.join("artifacts/sha256");
    if !folder::check(&root.join("artifacts"))? || !folder::check(&folder)? {
        return Ok((0, 0));
    }
    if !pretend {
        delete_leaving(&folder);
    }
    let before = ids(root)?;
    let Some(referred) = referred(root, &before, gone)? else { return Ok((0, 0)) };
    let (mut artifacts, mut bytes, mut files) = (0, 0, Vec::new());
    for entry in fs::read_dir(&folder).map_err(RecordError::io("read", &folder))? {
        let entry = entry.map_err(RecordError::io("read", &folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let hex = name.strip_suffix(".json").unwrap_or(&name);
        let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
        if plain && is_digest(hex.as_bytes()) && !referred.contains(hex) {
            artifacts += u64::from(hex == name);
            bytes += size(&entry.path());
            files.push(name);
        }
    }
    if pretend || files.is_empty() {
        return Ok((artifacts, bytes));
    }
    let leaving = |name: &str| folder.join(format!("{LEAVING}{name}"));
    let mut renamed = Vec::new();
    let mut result = Ok(());
    // The description last: without it an artifact is not there.
    files.sort_by_key(|name| !name.ends_with(".json"));
    for name in files {
        result = fs::rename(folder.join(&name), leaving(&name)).map_err(RecordError::io("remove", &folder.join(&name)));
        if result.is_err() {
            break;
        }
        renamed.push(name);
    }
    let lives = |id: &RunId| !before.contains(id) || Run::new(root, id.clone()).is_alive().unwrap_or(true);
    let disturbed = result.is_err() || ids(root).map_or(true, |ids| ids.iter().any(lives));
    for name in renamed.iter().rev() {
        let _ = if disturbed { fs::rename(leaving(name), folder.join(name)) } else { fs::remove_file(leaving(name)) };
    }
    result.map(|()| if disturbed { (0, 0) } else { (artifacts, bytes) })
}

/// Every digest that stands in the plans and events of the runs that stay; `None` if one of them is under way.
fn referred(root: &Path, ids: &[RunId], gone: &BTreeSet<RunId>) -> Result<Option<BTreeSet<String>>, RecordError> {
    let mut found = BTreeSet::new();
    for id in ids.iter().filter(|id| !gone.contains(id)) {
        let run = Run::new(root, id.clone());
        if run.is_alive()? {
            return Ok(None);
        }
        for name in [events::EVENTS, events::INCOMPLETE, "plan.json"] {
            let bytes = folder::read_plain(&run.folder().join(name))?.unwrap_or_default();
            let words = bytes.split(|byte| !byte.is_ascii_hexdigit()).filter(|word| is_digest(word));
            found.extend(words.map(|word| String::from_utf8_lossy(word).into_owned()));
        }
    }
    Ok(Some(found))
}

fn is_digest(text: &[u8]) -> bool {
    text.len() == 64 && text.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
}

/// The bytes of a file, or of all files in a folder. Links count as what they are.
fn size(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    if !metadata.is_dir() {
        return metadata.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size(&entry.path())).sum()
}
