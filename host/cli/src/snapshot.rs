//! The files of a workspace at one moment, so that changes can be told from writes that change nothing.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::Hasher;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ignore::{DirEntry, WalkBuilder};

/// Larger files are compared by their time and size, in bytes.
const MAX_READ: u64 = 4 << 20;

/// Folders that hold no sources, also where no `.gitignore` says so.
const SKIPPED: [&str; 3] = [".git", ".sluice", "node_modules"];

/// What tools put into folders that they can make again: <https://bford.info/cachedir/>.
const CACHE_TAG: &str = "CACHEDIR.TAG";

#[derive(Debug, Clone, Copy)]
struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    content: Option<u64>,
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        let read = self.content.is_some() && other.content.is_some();
        self.size == other.size && if read { self.content == other.content } else { self.modified == other.modified }
    }
}

/// Files by path.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    files: BTreeMap<PathBuf, Stamp>,
}

impl Snapshot {
    /// Looks at all files below `workspace` that `.gitignore` does not name, and at those of workflows. Only what changed
    /// since `last` is read.
    pub fn take(workspace: &Path, workflows: &[PathBuf], last: &Snapshot) -> Self {
        let mut now = Self::default();
        let walk = WalkBuilder::new(workspace)
            .hidden(false)
            .require_git(false)
            .git_global(false)
            .parents(true)
            .filter_entry(wanted)
            .build();
        for entry in walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| !kind.is_dir())) {
            now.add(entry.into_path(), last);
        }
        for workflow in workflows {
            now.add(workflow.clone(), last);
        }
        now
    }

    /// The same with these files as they are now, unless they are in it.
    pub fn with(&self, files: &[PathBuf]) -> Self {
        let mut more = self.clone();
        for file in files.iter().filter(|file| !self.files.contains_key(*file)) {
            more.add(file.clone(), self);
        }
        more
    }

    fn add(&mut self, path: PathBuf, last: &Snapshot) {
        let Ok(metadata) = fs::symlink_metadata(&path) else { return };
        let mut stamp = Stamp { modified: metadata.modified().ok(), size: metadata.len(), content: None };
        if metadata.is_file() && stamp.size <= MAX_READ {
            let same = |last: &&Stamp| last.modified == stamp.modified && last.size == stamp.size;
            stamp.content = match last.files.get(&path).filter(same) {
                Some(last) => last.content,
                None => read(&path).ok().map(|bytes| hash(&bytes)),
            };
        }
        self.files.insert(path, stamp);
    }

    /// Files that are new, gone or different, in order.
    pub fn changes(&self, now: &Snapshot) -> BTreeSet<PathBuf> {
        let all = self.files.keys().chain(now.files.keys());
        all.filter(|path| self.files.get(*path) != now.files.get(*path)).cloned().collect()
    }
}

fn wanted(entry: &DirEntry) -> bool {
    let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    let skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
    entry.depth() == 0 || !(folder && (skipped || entry.path().join(CACHE_TAG).is_file()))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    sluice_beneath::open_anywhere(path)?.take(MAX_READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_sources_count() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let write = |path: &str, text: &str| {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        };
        for path in ["a.txt", "src/b.txt", "out/c", ".sluice/runs/x", ".git/HEAD", "target/CACHEDIR.TAG", ".github/w"] {
            write(path, "1");
        }
        write(".gitignore", "/out/\n*.log\n");
        write(".sluice/ci.yaml", "steps: []");
        let workflow = [root.join(".sluice/ci.yaml")];
        let take = |last: &Snapshot| Snapshot::take(root, &workflow, last);
        let first = take(&Snapshot::default());
        let changed = |last: &Snapshot| {
            let paths = last.changes(&take(last));
            paths.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(changed(&first), [""; 0]);
        for path in ["out/c", ".sluice/runs/x", ".git/HEAD", "target/debug/x", "src/x.log", "node_modules/x/y"] {
            write(path, "2");
        }
        write("a.txt", "1");
        assert_eq!(changed(&first), [""; 0], "ignored, or written without a change");
        write("a.txt", "2");
        write("src/new/d.txt", "1");
        write(".github/w", "2");
        write(".sluice/ci.yaml", "steps: [x]");
        fs::remove_file(root.join("src/b.txt")).unwrap();
        assert_eq!(changed(&first), [".github/w", ".sluice/ci.yaml", "a.txt", "src/b.txt", "src/new/d.txt"]);
    }
}
