//! What can go wrong with records.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sluice_model::Problem;

use crate::id::RunId;

/// Why a record could not be written or read.
#[derive(Debug)]
pub enum RecordError {
    /// The system refused: full disk, read-only folder, a file in the way.
    Io { action: &'static str, path: PathBuf, source: io::Error },
    /// Something in the path is a symbolic link, or no plain file or folder; it was not followed.
    NotPlain { path: PathBuf },
    /// A record with this id is there already.
    Exists { id: RunId },
    /// The run goes on in another process.
    StillRunning { id: RunId },
    /// The run went on when its events could no longer be written.
    Incomplete { id: RunId },
    /// The run was interrupted before its first event.
    NoEvents { id: RunId },
    /// There is no record at all below this folder.
    NoRuns { root: PathBuf },
    /// No record has a name that begins so.
    NoSuchRun { wanted: String, latest: RunId },
    /// Several records have names that begin so, newest first.
    Ambiguous { wanted: String, candidates: Vec<RunId> },
    /// The run has no such job or step.
    NoSuchStep { wanted: String, known: Vec<String> },
    /// A line that is not the last cannot be read.
    Damaged { path: PathBuf, line: u64, reason: String },
    /// A file, or a line of it, is not what was written.
    Edited { path: PathBuf, line: Option<u64> },
    /// The record was written without hashes.
    Unchained { id: RunId },
}

impl RecordError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room on the disk; old records are folders below `.sluice/runs`".to_owned()
            }
            Self::NotPlain { path } => format!("remove `{}`, and let sluice make it anew", path.display()),
            Self::StillRunning { .. } => "wait until it ends, or end its process".to_owned(),
            Self::Incomplete { .. } => {
                "look at what it did, then run the workflow again: `sluice run`, or `sluice rerun`".to_owned()
            }
            Self::NoEvents { .. } => "nothing of it was done; run the workflow again".to_owned(),
            Self::NoRuns { .. } => "run a workflow first: `sluice run`".to_owned(),
            Self::NoSuchRun { latest, .. } => format!("the latest is `{latest}`; `sluice runs list` shows all"),
            Self::Ambiguous { candidates, .. } => {
                let shown: Vec<_> = candidates.iter().take(5).map(|id| format!("`{id}`")).collect();
                format!("one of {}", shown.join(", "))
            }
            Self::NoSuchStep { known, .. } => {
                let shown: Vec<_> = known.iter().take(20).map(|name| format!("`{name}`")).collect();
                format!("it has {}", shown.join(", "))
            }
            Self::Edited { .. } => "do not rely on what it tells; run the workflow again".to_owned(),
            Self::Unchained { .. } => "an older Sluice wrote it; nothing tells whether it was changed".to_owned(),
            Self::Io { .. } | Self::Exists { .. } | Self::Damaged { .. } => return None,
        })
    }

    /// The code under which people see it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "host::record",
            Self::NotPlain { .. } => "host::record-not-plain",
            Self::Exists { .. } => "host::record-exists",
            Self::Damaged { .. } => "host::record-damaged",
            Self::NoRuns { .. } | Self::NoSuchRun { .. } => "run::no-such-run",
            Self::Edited { .. } => "run::record-edited",
            Self::Unchained { .. } => "run::record-unchained",
            Self::StillRunning { .. } => "run::still-running",
            Self::Incomplete { .. } => "run::incomplete",
            Self::NoEvents { .. } => "run::no-events",
            Self::Ambiguous { .. } => "run::ambiguous-run",
            Self::NoSuchStep { .. } => "run::no-such-step",
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, .. } => write!(f, "could not {action} `{}`", path.display()),
            Self::NotPlain { path } => {
                write!(f, "`{}` is a symbolic link or a special file, and is not followed", path.display())
            }
            Self::Exists { id } => write!(f, "there is a record of run `{id}` already"),
            Self::StillRunning { id } => write!(f, "run `{id}` is still running"),
            Self::Incomplete { id } => {
                write!(f, "the record of run `{id}` is incomplete, so nobody can tell what is left to do")
            }
            Self::NoEvents { id } => write!(f, "the record of run `{id}` has no events"),
            Self::NoRuns { root } => write!(f, "there is no record of a run in `{}`", root.display()),
            Self::NoSuchRun { wanted, .. } => write!(f, "there is no record of run `{wanted}`"),
            Self::Ambiguous { wanted, candidates } => {
                write!(f, "the names of {} runs begin with `{wanted}`", candidates.len())
            }
            Self::NoSuchStep { wanted, .. } => write!(f, "the run has no job or step `{wanted}`"),
            Self::Damaged { path, line, .. } => write!(f, "line {line} of `{}` cannot be read", path.display()),
            Self::Edited { path, line: Some(line) } => {
                write!(f, "line {line} of `{}`, or one before it, was changed after it was written", path.display())
            }
            Self::Edited { path, line: None } => {
                write!(f, "`{}` was changed or removed after it was written", path.display())
            }
            Self::Unchained { id } => write!(f, "the record of run `{id}` has no hashes"),
        }
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<&RecordError> for Problem {
    fn from(error: &RecordError) -> Self {
        let mut problem = Problem::new(error.code(), error.to_string());
        match error {
            RecordError::Io { source, .. } => problem = problem.cause(source.to_string()),
            RecordError::Damaged { reason, .. } => problem = problem.cause(reason.clone()),
            RecordError::Incomplete { .. } => {
                problem = problem.cause("the run went on when its events could no longer be written");
            }
            _ => {}
        }
        problem.help = error.help();
        problem
    }
}
