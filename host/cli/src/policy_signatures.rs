//! Asks whether plugins are signed as policies want it.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use sluice_beneath::Links;
use sluice_model::{Lock, PluginRef};
use sluice_plan::policy::{Candidate, Layer, Owner, Policies, Signatures, Signer};
use sluice_plan::{Plugins, SharedPolicies};
use sluice_registry_oci::signature::{Identity, PublicKey, Roots, Trusted};

use crate::outside;

/// A longer file is no public key, in bytes.
const KEY_BYTES: u64 = 64 << 10;
/// A longer file is not the trusted roots of anybody, in bytes.
const ROOTS_BYTES: u64 = 4 << 20;

/// The same policies, with an answer for every plugin from a registry that one of them wants signed.
pub fn answer(policies: &SharedPolicies, plugins: &Plugins, lock: &Lock, workspace: &Path) -> SharedPolicies {
    let mut signatures = Signatures::default();
    for info in plugins.values().flatten() {
        let candidate = Candidate { reference: &info.reference, digest: info.digest };
        for (index, signer) in policies.wanted_signatures(&candidate) {
            let Some(layer) = policies.layers().get(index) else { continue };
            let answer = verify(layer, &signer, &info.reference, lock, workspace);
            signatures.insert((index, signer, info.reference.clone()), answer);
        }
    }
    if signatures.is_empty() { Arc::clone(policies) } else { Arc::new(Policies::clone(policies).with(signatures)) }
}

/// Whether the bytes that run are signed so; the error says why not.
fn verify(layer: &Layer, signer: &Signer, reference: &PluginRef, lock: &Lock, workspace: &Path) -> Result<(), String> {
    let PluginRef::Oci(oci) = reference else {
        return Err("only registries have signatures".to_owned());
    };
    let trusted = trusted(layer, signer, workspace)?;
    let signer = outside::artifact_of(oci, lock, workspace)
        .and_then(|artifact| outside::signer(oci, artifact, &trusted, lock, workspace));
    signer.map(drop).map_err(|problem| problem.causes.last().cloned().unwrap_or(problem.message))
}

/// What the policy names, read from the files that it names.
fn trusted(layer: &Layer, signer: &Signer, workspace: &Path) -> Result<Trusted, String> {
    match signer {
        Signer::Key(path) => {
            let key = read(layer, path, KEY_BYTES, workspace)
                .and_then(|text| PublicKey::from_pem(&text).map_err(str::to_owned));
            Ok(Trusted::Key(key.map_err(|reason| format!("the key cannot be used: {reason}"))?))
        }
        Signer::Identity { identity, issuer, roots } => {
            let roots = match roots {
                Some(path) => read(layer, path, ROOTS_BYTES, workspace).and_then(|text| Roots::from_json(&text)),
                None => Roots::public(),
            };
            let roots = roots.map_err(|reason| format!("the trusted roots cannot be used: {reason}"))?;
            Ok(Trusted::Identity(Box::new(Identity { subject: identity.clone(), issuer: issuer.clone(), roots })))
        }
    }
}

/// A file that stands beside the policy that names it.
fn read(layer: &Layer, path: &str, most: u64, workspace: &Path) -> Result<String, String> {
    // That of the workspace has a name without a folder.
    let folder = workspace.join(layer.source.name());
    let folder = folder.parent().unwrap_or(workspace);
    let opened = match layer.owner {
        Owner::Repository => sluice_beneath::open(folder, path, Links::Inside),
        Owner::Machine | Owner::Organisation => sluice_beneath::open_anywhere(&folder.join(path)),
    };
    let mut text = String::new();
    opened.and_then(|file| file.take(most).read_to_string(&mut text)).map_err(|error| error.to_string())?;
    Ok(text)
}
