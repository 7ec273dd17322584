//! `sluice.lock` of a workspace, on the disk.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sluice_model::lock::{FILE, MAX_BYTES};
use sluice_model::{Lock, Problem, Source};

use crate::{discover, pack};

/// Reads the lock; one that is not there has accepted nothing.
pub fn read(workspace: &Path) -> Result<Lock, Vec<Problem>> {
    let path = workspace.join(FILE);
    let unreadable =
        |reason: String| vec![Problem::new("plan::lock-unreadable", format!("cannot read `{FILE}`")).cause(reason)];
    let file = match sluice_beneath::open_anywhere(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::default()),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let mut text = String::new();
    // One byte more than the parser takes, so that it can say what is wrong.
    let read = file.take(MAX_BYTES as u64 + 1).read_to_string(&mut text);
    read.map_err(|error| unreadable(error.to_string()))?;
    Lock::parse(&Source::new(FILE, text))
}

/// Writes the lock whole or not at all; one that accepts nothing any more is removed.
pub fn write(workspace: &Path, lock: &Lock) -> Result<(), Problem> {
    let path = workspace.join(FILE);
    let written = match lock.plugins() {
        [] => fs::remove_file(&path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        }),
        _ => pack::write_whole(&path, lock.to_string().as_bytes()).and_then(|()| readable(&path)),
    };
    written.map_err(|error| {
        Problem::new("plan::lock-unreadable", format!("cannot write `{FILE}`")).cause(error.to_string())
    })
}

/// Makes a file like any other of the repository: what is staged is private to its user.
pub fn readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

/// The workspace whose lock is meant in a folder: that of its workflows, or the repository.
pub fn workspace(from: &Path) -> PathBuf {
    if let Some(found) = discover::nearest(from).ok().and_then(|all| all.into_iter().next()) {
        return found.workspace;
    }
    let root = from.ancestors().find(|above| above.join(FILE).exists() || above.join(".git").exists());
    root.unwrap_or(from).to_owned()
}
