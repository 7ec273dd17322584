//! `step.files`: the files of the workspace, found at native speed.

use std::path::Path;

use ignore::WalkBuilder;
use sluice_model::Globs;
use sluice_model::grant::Access;
use sluice_model::grant::FileGrant;

use crate::workspace::Workspace;

/// Why files could not be listed.
#[derive(Debug, PartialEq, Eq)]
pub enum FilesError {
    Glob(String),
    Disk(String),
}

/// Regular files that match, relative to the workspace, sorted. Only what the grants cover; ignored files, `.git` and
/// `.sluice` are left out, symbolic links are not followed, and so are names that are not UTF-8, which no plugin could
/// open.
pub fn list(workspace: &Workspace, grants: &[FileGrant], globs: &[String]) -> Result<Vec<String>, FilesError> {
    let globs = Globs::parse(globs).map_err(FilesError::Glob)?;
    let root = workspace.root();
    let mut walk = WalkBuilder::new(root);
    walk.hidden(false).parents(false).git_global(false).require_git(false).follow_links(false);
    let (owned_root, grants) = (root.to_owned(), grants.to_vec());
    walk.filter_entry(move |entry| {
        let Some(path) = relative(entry.path(), &owned_root) else { return false };
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        path.is_empty()
            || !matches!(entry.file_name().to_str(), Some(".git" | ".sluice"))
                && grants.iter().any(|grant| grant.contains(path) || is_folder && leads_to(path, &grant.path))
    });
    let mut files = Vec::new();
    for entry in walk.build() {
        let entry = match entry {
            Ok(entry) => entry,
            // A file that is gone by now is as good as one that never was.
            Err(error) if error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound) => {
                continue;
            }
            Err(error) => return Err(FilesError::Disk(format!("a folder cannot be read: {error}"))),
        };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        if let Some(path) = relative(entry.path(), root)
            && globs.matches(path)
        {
            files.push(path.to_owned());
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The files that a plugin with `read .` would be given.
///
/// # Errors
/// A glob that is none, or a folder that cannot be read.
pub fn list_files(workspace: &Path, globs: &[String]) -> Result<Vec<String>, String> {
    let workspace = Workspace::open(workspace).map_err(|error| format!("the workspace cannot be read: {error}"))?;
    let everything = FileGrant { access: Access::Read, path: ".".to_owned() };
    list(&workspace, &[everything], globs).map_err(|error| match error {
        FilesError::Glob(reason) | FilesError::Disk(reason) => reason,
    })
}

fn relative<'a>(path: &'a Path, root: &Path) -> Option<&'a str> {
    path.strip_prefix(root).ok()?.to_str()
}

/// Whether a folder stands on the way to another.
fn leads_to(folder: &str, granted: &str) -> bool {
    granted.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "a.yaml",
            "b.txt",
            ".github/ci.yaml",
            ".git/config",
            ".sluice/runs/x.yaml",
            "src/c.yaml",
            "src/deep/d.yaml",
            "srcs/e.yaml",
            "target/f.yaml",
            "src/keep.log",
            "src/drop.log",
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::write(folder.path().join(".gitignore"), "/target\n*.log\n").unwrap();
        fs::write(folder.path().join("src/.gitignore"), "!keep.log\n").unwrap();
        symlink("/etc/passwd", folder.path().join("link.yaml")).unwrap();
        symlink("/etc", folder.path().join("etc")).unwrap();
        let workspace = Workspace::open(folder.path()).unwrap();
        (folder, workspace)
    }

    #[test]
    fn files_are_listed_by_glob_within_the_grants() {
        let (_folder, workspace) = workspace();
        for (grants, globs, expected) in [
            (&["read ."][..], &["**/*.yaml"][..], ".github/ci.yaml a.yaml src/c.yaml src/deep/d.yaml srcs/e.yaml"),
            (&["read ."], &["*.yaml", "./src/*.yaml"], "a.yaml src/c.yaml"),
            (&["read ."], &["**/*.yaml", "!src/**"], ".github/ci.yaml a.yaml srcs/e.yaml"),
            (
                &["read ."],
                &[],
                ".github/ci.yaml .gitignore a.yaml b.txt src/.gitignore src/c.yaml src/deep/d.yaml src/keep.log srcs/e.yaml",
            ),
            (&["read ."], &["!**/*.yaml"], ".gitignore b.txt src/.gitignore src/keep.log"),
            (&["read src"], &["**/*.yaml"], "src/c.yaml src/deep/d.yaml"),
            (&["write src/deep"], &["**"], "src/deep/d.yaml"),
            (&["read src/deep", "read srcs"], &["**"], "src/deep/d.yaml srcs/e.yaml"),
            (&["read missing"], &["**"], ""),
        ] {
            let grants: Vec<FileGrant> = grants.iter().map(|grant| grant.parse().unwrap()).collect();
            let owned: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
            let found = list(&workspace, &grants, &owned).unwrap().join(" ");
            assert_eq!(found, expected, "{grants:?} {globs:?}");
        }
    }

    #[test]
    fn a_malformed_glob_is_named() {
        let (_folder, workspace) = workspace();
        let error = list(&workspace, &[], &["src/{a".to_owned()]).unwrap_err();
        assert!(matches!(error, FilesError::Glob(text) if text.starts_with("`src/{a` is not a glob: ")));
    }
}
