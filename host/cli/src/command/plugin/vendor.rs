//! `sluice plugin vendor`: the bytes of accepted plugins, in the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;
use sluice_model::grant::normalise_path;
use sluice_model::lock::Locked;
use sluice_model::{PluginRef, Problem};
use sluice_registry::Store;
use sluice_registry_oci::signature;

use crate::args::VendorArgs;
use crate::output::Output;
use crate::{lock_file, network, outside, pack};

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
    let (mut kept, mut plugins, mut problems) = (BTreeSet::new(), 0, Vec::new());
    // What is there already is looked at like anything else.
    let mut source = lock.clone();
    source.vendor = None;
    for locked in lock.plugins().iter().filter(|locked| locked.reference.is_outside()) {
        let copied = outside::pinned(&locked.reference, &source, &workspace).and_then(|component| {
            store.put(locked.digest, component.bytes()).map_err(|error| {
                Problem::new("plugin::not-written", format!("cannot write into `{folder}`")).cause(error.to_string())
            })
        });
        match copied.and_then(|()| copy_signatures(locked, &store, &workspace)) {
            Ok(()) => {
                kept.extend(locked.oci_manifest.map(|manifest| manifest.hex()));
                plugins += 1;
                kept.insert(locked.digest.hex())
            }
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
    output.result(&if args.json {
        format!("{:#}\n", json!({"folder": folder, "plugins": plugins}))
    } else {
        format!("{plugins} plugin{} in {folder}\n", if plugins == 1 { "" } else { "s" })
    });
    Ok(())
}

/// Signatures go with the bytes, so that whoever asks for them needs no network either.
fn copy_signatures(locked: &Locked, store: &Store, workspace: &Path) -> Result<(), Problem> {
    let (PluginRef::Oci(oci), Some(manifest)) = (&locked.reference, locked.oci_manifest) else { return Ok(()) };
    if network::is_offline() {
        // The bytes were at hand; whether there are signatures is not known.
        return Ok(());
    }
    let materials = outside::signatures(oci, manifest, workspace)?;
    if materials.is_empty() {
        return Ok(());
    }
    let file = outside::signature_file(store, manifest);
    pack::write_whole(&file, &signature::to_json(&materials)).map_err(|error| {
        Problem::new("plugin::not-written", "cannot write signatures into the folder of plugins")
            .cause(error.to_string())
    })
}

/// Removes what was vendored before and is not accepted any more. A file that stays only takes room.
fn drop_others(folder: &Path, kept: &BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let digest = name.strip_suffix(outside::SIGNATURES).and_then(|name| name.strip_suffix('.')).unwrap_or(&name);
        let is_digest = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        if is_digest && !kept.contains(digest) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
