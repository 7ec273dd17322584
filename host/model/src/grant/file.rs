//! `read src`, `write dist`: a folder of the workspace and all below it.

use std::fmt;
use std::str::FromStr;

use super::serde_by_spelling;

/// Writing includes reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    Read,
    Write,
}

/// Access to a folder of the workspace and all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGrant {
    pub access: Access,
    /// Normalised: `.` or `a/b`.
    pub path: String,
}

impl FileGrant {
    pub fn covers(&self, inner: &Self) -> bool {
        self.access >= inner.access && self.contains(&inner.path)
    }

    /// Whether a normalised path is the folder or below it.
    pub fn contains(&self, path: &str) -> bool {
        self.path == "." || path == self.path || path.strip_prefix(&self.path).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Brings a path relative to the workspace into its one spelling: no `.`, no empty parts, `/` between. Refuses what
/// could lead outside: absolute paths, `..`, backslashes, control characters.
pub fn normalise_path(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Err("a path is empty; write `.` for the whole workspace".into());
    }
    if path.starts_with('/') || path.contains('\\') || path.contains(':') {
        return Err(format!("`{path}` is not a path relative to the workspace"));
    }
    if path.chars().any(char::is_control) {
        return Err("a path has no control characters".into());
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(format!("`{path}` leads out of the workspace")),
            part => parts.push(part),
        }
    }
    Ok(if parts.is_empty() { ".".into() } else { parts.join("/") })
}

impl FromStr for FileGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (access, path) = match text.split_once(' ') {
            Some(("read", path)) => (Access::Read, path),
            Some(("write", path)) => (Access::Write, path),
            _ => return Err(format!("expected `read FOLDER` or `write FOLDER`, found `{text}`")),
        };
        let path = normalise_path(path.trim())?;
        if path != path.trim() {
            // Shown and read again it would be another one.
            return Err(format!("`{path}` begins or ends with white space"));
        }
        Ok(Self { access, path })
    }
}

impl fmt::Display for FileGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            Access::Read => "read",
            Access::Write => "write",
        };
        write!(f, "{access} {}", self.path)
    }
}

serde_by_spelling!(FileGrant);
