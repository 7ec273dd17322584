//! `read ~/.config/git`, `write /var/tmp/x`, `connect /run/docker.sock`: what programs may touch outside of the workspace.

use std::fmt;
use std::str::FromStr;

use super::serde_by_spelling;

/// What may be done with a path outside of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathAccess {
    Read,
    /// Includes reading.
    Write,
    /// Talking to the program that listens on this socket. The kernel cannot tell sockets apart: one opens all.
    Connect,
}

/// Access of programs to a file or folder outside of the workspace and all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathGrant {
    pub access: PathAccess,
    /// Normalised: `/a/b`, `/`, `~`, or `~/a`. `~` is the home of the user who runs the workflow.
    pub path: String,
}

impl PathGrant {
    pub fn covers(&self, inner: &Self) -> bool {
        let access = match (self.access, inner.access) {
            (PathAccess::Write, PathAccess::Read) => true,
            (outer, inner) => outer == inner,
        };
        let front = self.path.strip_suffix('/').unwrap_or(&self.path);
        access && (inner.path == self.path || inner.path.strip_prefix(front).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The path within the user's home, if that is where it is; empty for the home itself.
    pub fn below_home(&self) -> Option<&str> {
        self.path.strip_prefix('~').map(|path| path.trim_start_matches('/'))
    }
}

impl FromStr for PathGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str =
            "expected `read PATH`, `write PATH` or `connect SOCKET` with an absolute path or `~/PATH`";
        let (access, path) = match text.split_once(' ') {
            Some(("read", path)) => (PathAccess::Read, path.trim()),
            Some(("write", path)) => (PathAccess::Write, path.trim()),
            Some(("connect", path)) => (PathAccess::Connect, path.trim()),
            _ => return Err(format!("{EXPECTED}, found `{text}`")),
        };
        let (front, rest) = match path.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => ("~", rest),
            None if path.starts_with('/') => ("", path),
            _ => return Err(format!("{EXPECTED}, found `{text}`")),
        };
        if path.chars().any(char::is_control) {
            return Err("a path has no control characters".into());
        }
        let parts: Vec<&str> = rest.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if parts.contains(&"..") {
            return Err(format!("`{path}` has `..`; write the path that it leads to"));
        }
        let path = parts.iter().fold(front.to_owned(), |path, part| path + "/" + part);
        if path.ends_with(char::is_whitespace) {
            // Shown and read again it would be another one.
            return Err(format!("`{path}` ends with white space"));
        }
        Ok(Self { access, path: if path.is_empty() { "/".into() } else { path } })
    }
}

impl fmt::Display for PathGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            PathAccess::Read => "read",
            PathAccess::Write => "write",
            PathAccess::Connect => "connect",
        };
        write!(f, "{access} {}", self.path)
    }
}

serde_by_spelling!(PathGrant);
