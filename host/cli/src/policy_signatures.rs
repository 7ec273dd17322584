//! Asks whether plugins are signed as policies want it.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use sluice_beneath::Links;
use sluice_model::{Lock, PluginRef};
use sluice_plan::policy::{Candidate, Layer, Owner, Policies, Signatures};
use sluice_plan::{Plugins, SharedPolicies};
use sluice_registry_oci::signature::{PublicKey, Trusted};

use crate::outside;

/// A longer file is no public key, in bytes.
const KEY_BYTES: u64 = 64 << 10;

/// The same policies, with an answer for every plugin from a registry that one of them wants signed.
pub fn answer(policies: &SharedPolicies, plugins: &Plugins, lock: &Lock, workspace: &Path) -> SharedPolicies {
    let mut signatures = Signatures::default();
    for info in plugins.values().flatten() {
        let candidate = Candidate { reference: &info.reference, digest: info.digest };
        for (index, key) in policies.wanted_signatures(&candidate) {
            let Some(layer) = policies.layers().get(index) else { continue };
            let answer = verify(layer, &key, &info.reference, lock, workspace);
            signatures.insert((index, key, info.reference.clone()), answer);
        }
    }
    if signatures.is_empty() { Arc::clone(policies) } else { Arc::new(Policies::clone(policies).with(signatures)) }
}

/// Whether the bytes that run are signed with the key; the error says why not.
fn verify(layer: &Layer, key: &str, reference: &PluginRef, lock: &Lock, workspace: &Path) -> Result<(), String> {
    let PluginRef::Oci(oci) = reference else {
        return Err("only registries have signatures".to_owned());
    };
    let key = read(layer, key, workspace).map_err(|reason| format!("the key cannot be used: {reason}"))?;
    let signer = outside::artifact_of(oci, lock, workspace)
        .and_then(|artifact| outside::signer(oci, artifact, &Trusted::Key(key), lock, workspace));
    signer.map(drop).map_err(|problem| problem.causes.last().cloned().unwrap_or(problem.message))
}

/// A key stands beside the policy that names it.
fn read(layer: &Layer, key: &str, workspace: &Path) -> Result<PublicKey, String> {
    let opened = match layer.owner {
        Owner::Repository => sluice_beneath::open(workspace, key, Links::Inside),
        Owner::Machine | Owner::Organisation => {
            let folder = Path::new(layer.source.name()).parent().unwrap_or(Path::new("/"));
            sluice_beneath::open_anywhere(&folder.join(key))
        }
    };
    let mut text = String::new();
    opened.and_then(|file| file.take(KEY_BYTES).read_to_string(&mut text)).map_err(|error| error.to_string())?;
    PublicKey::from_pem(&text).map_err(str::to_owned)
}
