//! Reading a folder.

use std::fs::File;
use std::path::Path;

use sluice_sdk::Failure;
use sluice_sdk::files::{Globs, walk};

use super::{Item, Visit};

/// The files that are meant. Links are refused like those in an archive; exclude them to leave them out.
pub fn each(root: &Path, globs: &Globs, visit: &mut Visit) -> Result<(), Failure> {
    let mut any = false;
    walk(root, |entry| {
        let (relative, path) = (entry.relative.as_str(), &entry.path);
        if entry.kind.is_dir() || !globs.matches(relative) {
            return Ok(true);
        }
        if !entry.kind.is_file() {
            return Err(Failure::failed(format!("`{}` is not a regular file", path.display()))
                .help(format!("exclude it: `files: [..., \"!{relative}\"]`")));
        }
        any = true;
        let unreadable = |error| Failure::failed(format!("cannot read `{}`: {error}", path.display()));
        visit(relative, Item::File(&mut File::open(path).map_err(unreadable)?))?;
        Ok(true)
    })?;
    if any {
        Ok(())
    } else {
        Err(Failure::invalid_input(format!("no file below `{}` is meant by `files`", root.display())))
    }
}
