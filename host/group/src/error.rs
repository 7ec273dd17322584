//! What can go wrong with groups.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sluice_model::Problem;

/// Why nobody can tell whose turn it is.
#[derive(Debug)]
pub enum GroupError {
    /// The system refused: full disk, read-only folder, a file system without locks.
    Io { action: &'static str, path: PathBuf, source: io::Error },
    /// A symbolic link, a file, or a folder of another user stands where the folder should be.
    NotOurs { path: PathBuf },
    /// Another process keeps all others from looking at the groups.
    Stuck { path: PathBuf },
}

impl GroupError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, .. } => write!(f, "could not {action} `{}`", path.display()),
            Self::NotOurs { path } => write!(f, "`{}` is no folder of yours, and is not used", path.display()),
            Self::Stuck { path } => write!(f, "another process does not let go of `{}`", path.display()),
        }
    }
}

impl std::error::Error for GroupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::NotOurs { .. } | Self::Stuck { .. } => None,
        }
    }
}

impl From<&GroupError> for Problem {
    fn from(error: &GroupError) -> Self {
        let problem = Problem::new("host::group", error.to_string());
        match error {
            GroupError::Io { source, .. } => problem.cause(source.to_string()),
            GroupError::NotOurs { path } => {
                problem.help(format!("remove `{}`, and let sluice make it", path.display()))
            }
            GroupError::Stuck { .. } => problem.help("look for a run that was stopped, and let it go on or end it"),
        }
    }
}
