//! `sluice plugin vendor`: the bytes of accepted plugins, in the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;
use sluice_model::Problem;
use sluice_model::grant::normalise_path;
use sluice_registry::Store;

use crate::args::VendorArgs;
use crate::output::Output;
use crate::{lock_file, outside};

/// Where bytes go that were never vendored before.
const FOLDER: &str = "vendor/plugins";

pub fn vendor(args: &VendorArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let workspace = lock_file::workspace(from);
    let mut lock = lock_file::read(&workspace)?;
    let folder = match (&args.to, &lock.vendor) {
        (Some(folder), _) => normalise_path(folder).map_err(|reason| {
            vec![Problem::new("plugin::not-written", format!("cannot copy plugins to `{folder}`")).cause(reason)]
        })?,
        (None, Some(folder)) => folder.clone(),
        (None, None) => FOLDER.to_owned(),
    };
    let store = Store::new(workspace.join(&folder));
    let (mut kept, mut problems) = (BTreeSet::new(), Vec::new());
    // What is there already is looked at like anything else.
    let mut source = lock.clone();
    source.vendor = None;
    for locked in lock.plugins().iter().filter(|locked| locked.reference.is_outside()) {
        let copied = outside::pinned(&locked.reference, &source, &workspace).and_then(|component| {
            store.put(locked.digest, component.bytes()).map_err(|error| {
                Problem::new("plugin::not-written", format!("cannot write into `{folder}`")).cause(error.to_string())
            })
        });
        match copied {
            Ok(()) => kept.insert(locked.digest.hex()),
            Err(problem) => {
                problems.push(problem);
                false
            }
        };
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    drop_others(&workspace.join(&folder), &kept);
    lock.vendor = (!kept.is_empty()).then(|| folder.clone());
    lock_file::write(&workspace, &lock).map_err(|problem| vec![problem])?;
    let count = kept.len();
    output.result(&if args.json {
        format!("{:#}\n", json!({"folder": folder, "plugins": count}))
    } else {
        format!("{count} plugin{} in {folder}\n", if count == 1 { "" } else { "s" })
    });
    Ok(())
}

/// Removes what was vendored before and is not accepted any more. A file that stays only takes room.
fn drop_others(folder: &Path, kept: &BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_digest = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
        if is_digest && !kept.contains(&name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
