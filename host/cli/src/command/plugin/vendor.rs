//! `sluice plugin vendor`: the bytes of accepted plugins, in the repository.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::json;
use sluice_model::grant::normalise_path;
use sluice_model::lock::Locked;
use sluice_model::{Lock, PluginRef, Problem};
use sluice_registry::Store;
use sluice_registry_oci::{Which, signature};

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
    inside(&workspace.join(&folder), &workspace).map_err(|reason| vec![not_written(&folder, reason)])?;
    let store = Store::new(workspace.join(&folder));
    let (mut kept, mut plugins, mut problems) = (BTreeSet::new(), 0, Vec::new());
    // What is there already is looked at like anything else.
    let mut source = lock.clone();
    source.vendor = None;
    for locked in lock.plugins().iter().filter(|locked| locked.reference.is_outside()) {
        let copied = outside::pinned(&locked.reference, &source, &workspace).and_then(|component| {
            let file = store.path(locked.digest);
            let put = store.put(locked.digest, component.bytes()).and_then(|()| lock_file::readable(&file));
            put.map_err(|error| not_written(&folder, error.to_string()))
        });
        match copied.and_then(|()| copy_signed(locked, &source, &store, &workspace)) {
            Ok(names) => {
                kept.extend(names);
                kept.insert(locked.digest.hex());
                plugins += 1;
            }
            Err(problem) => problems.push(problem),
        }
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

fn not_written(folder: &str, reason: String) -> Problem {
    Problem::new("plugin::not-written", format!("cannot write into `{folder}`")).cause(reason)
}

/// Makes the folder. A link in the repository must not lead to a folder elsewhere, in which files would be removed.
fn inside(folder: &Path, workspace: &Path) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    fs::create_dir_all(folder).map_err(text)?;
    let real = folder.canonicalize().map_err(text)?;
    match real.starts_with(workspace.canonicalize().map_err(text)?) {
        true => Ok(()),
        false => Err("it is a link that leads out of the workspace".to_owned()),
    }
}

/// Manifests and signatures go with the bytes, so that whoever asks who signed them needs no network either. Gives the names
/// of files.
fn copy_signed(locked: &Locked, source: &Lock, store: &Store, workspace: &Path) -> Result<Vec<String>, Problem> {
    let (PluginRef::Oci(oci), Some(manifest)) = (&locked.reference, locked.oci_manifest) else { return Ok(Vec::new()) };
    let failed = |error: io::Error| not_written(&locked.reference.to_string(), error.to_string());
    let mut names = vec![manifest.hex()];
    if network::is_offline() {
        // The bytes were at hand; whether there are signatures is not known.
        return Ok(names);
    }
    let (manifests, _) = outside::chain(oci, Which::Digest(manifest), source, workspace)?;
    for (digest, bytes) in manifests {
        let file = store.path(digest);
        store.put(digest, &bytes).and_then(|()| lock_file::readable(&file)).map_err(failed)?;
        names.push(digest.hex());
    }
    let materials = outside::signatures(oci, manifest, workspace)?;
    if !materials.is_empty() {
        let file = outside::signature_file(store, manifest);
        let written = pack::write_whole(&file, &signature::to_json(&materials));
        written.and_then(|()| lock_file::readable(&file)).map_err(failed)?;
    }
    Ok(names)
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
