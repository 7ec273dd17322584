//! Reading a folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sluice_sdk::Failure;

use super::{Item, Visit};

/// Globs that want paths and globs that do not.
#[derive(Debug)]
pub struct Globs {
    wanted: Vec<String>,
    unwanted: Vec<String>,
}

impl Globs {
    /// `!` in front of a glob excludes. Fails with all malformed globs at once.
    pub fn new(globs: &[String]) -> Result<Self, Failure> {
        let problems: Vec<String> = globs
            .iter()
            .filter_map(|glob| {
                let error = fast_glob::validate(glob.trim_start_matches('!')).err()?;
                Some(format!("`{glob}`: {error}"))
            })
            .collect();
        if !problems.is_empty() {
            return Err(Failure::invalid_input(format!("malformed glob: {}", problems.join("; "))));
        }
        let (unwanted, wanted): (Vec<_>, Vec<_>) = globs.iter().cloned().partition(|glob| glob.starts_with('!'));
        Ok(Self { wanted, unwanted: unwanted.iter().map(|glob| glob[1..].to_owned()).collect() })
    }

    fn mean(&self, path: &str) -> bool {
        let any = |globs: &[String]| globs.iter().any(|glob| fast_glob::glob_match(glob, path));
        any(&self.wanted) && !any(&self.unwanted)
    }
}

/// A folder on the disk, with its path relative to where the walk began.
type Level = (PathBuf, String);

/// Every regular file below `root`, and every other thing that is not a folder, by its path relative to `root`.
pub fn walk(root: &Path, mut found: impl FnMut(&str, &Path, bool) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut levels: Vec<Level> = vec![(root.to_owned(), String::new())];
    while let Some((folder, name)) = levels.pop() {
        let unreadable = |error| Failure::failed(format!("cannot read the folder `{}`: {error}", folder.display()));
        for item in fs::read_dir(&folder).map_err(unreadable)? {
            let item = item.map_err(unreadable)?;
            let path = item.path();
            let Some(last) = item.file_name().to_str().map(ToOwned::to_owned) else {
                return Err(Failure::failed(format!("the name of `{}` is not UTF-8", path.display())));
            };
            let relative = if name.is_empty() { last } else { format!("{name}/{last}") };
            let kind = item.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                levels.push((path, relative));
            } else {
                found(&relative, &path, kind.is_file())?;
            }
        }
    }
    Ok(())
}

/// The files that are meant. Links are refused like those in an archive; exclude them to leave them out.
pub fn each(root: &Path, globs: &Globs, visit: &mut Visit) -> Result<(), Failure> {
    let mut any = false;
    walk(root, |relative, path, regular| {
        if !globs.mean(relative) {
            return Ok(());
        }
        if !regular {
            return Err(Failure::failed(format!("`{}` is not a regular file", path.display()))
                .help(format!("exclude it: `files: [..., \"!{relative}\"]`")));
        }
        any = true;
        let unreadable = |error| Failure::failed(format!("cannot read `{}`: {error}", path.display()));
        visit(relative, Item::File(&mut File::open(path).map_err(unreadable)?))
    })?;
    if any {
        Ok(())
    } else {
        Err(Failure::invalid_input(format!("no file below `{}` is meant by `files`", root.display())))
    }
}
