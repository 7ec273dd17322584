//! Plugins from other machines: by digest for a run, by name for those who look for something newer.

use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sluice_model::lock::{Declared, Lock, Locked};
use sluice_model::reference::OciRef;
use sluice_model::{Digest, PluginRef, Problem};
use sluice_plan::{PluginInfo, locked};
use sluice_registry::{Component, MAX_COMPONENT_BYTES, Store, Stored};
use sluice_registry_oci::signature::{self, Material, Signer, Trusted};
use sluice_registry_oci::{Client, Content, Failure, MAX_MANIFEST_BYTES, Which, digest_of};

use crate::{host, network, pack};

/// A longer file of signatures is not read, in bytes.
const MAX_SIGNATURE_BYTES: u64 = 32 << 20;

/// What a reference leads to now.
#[derive(Debug)]
pub struct Fetched {
    pub component: Component,
    /// Of the manifest in the registry.
    pub oci_manifest: Option<Digest>,
}

/// The bytes that a step runs: those of the digest in the lock or in the reference, wherever they come from.
pub fn pinned(reference: &PluginRef, lock: &Lock, workspace: &Path) -> Result<Component, Problem> {
    let digest = match (locked::entry(reference, lock)?, reference) {
        (Some(locked), _) => Some(locked.digest),
        (None, PluginRef::Url(url)) => url.digest,
        (None, PluginRef::Oci(oci)) => match oci.digest {
            Some(digest) => Some(component_of(oci, Which::Digest(digest), lock, workspace)?.1),
            None => None,
        },
        (None, PluginRef::Builtin(_) | PluginRef::Path(_)) => None,
    };
    match digest {
        Some(digest) => by_digest(reference, digest, lock, workspace),
        None => Err(failed(reference, "nothing says which bytes are meant")),
    }
}

/// What a plugin from outside is now: what its tag or address leads to, or its own digest.
pub fn newest(reference: &PluginRef, lock: &Lock, workspace: &Path) -> Result<Fetched, Problem> {
    match reference {
        PluginRef::Oci(oci) => {
            let which = oci.digest.map_or(Which::Tag(oci.tag_or_default()), Which::Digest);
            let (manifest, component) = component_of(oci, which, lock, workspace)?;
            let component = by_digest(reference, component, lock, workspace)?;
            Ok(Fetched { component, oci_manifest: Some(manifest) })
        }
        PluginRef::Url(url) => match url.digest {
            Some(digest) => {
                Ok(Fetched { component: by_digest(reference, digest, lock, workspace)?, oci_manifest: None })
            }
            None => {
                let bytes = fetch(reference, None, workspace)?;
                Ok(Fetched { component: keep(digest_of(&bytes), &bytes, workspace), oci_manifest: None })
            }
        },
        PluginRef::Builtin(_) | PluginRef::Path(_) => Err(failed(reference, "it is not from outside")),
    }
}

/// What is written into the lock when somebody accepts it.
pub fn accepted(info: &PluginInfo, oci_manifest: Option<Digest>) -> Locked {
    Locked {
        reference: info.reference.clone(),
        digest: info.digest,
        oci_manifest,
        declared: info.manifest.as_ref().map(Declared::from),
    }
}

/// From the repository, from the cache, or from the other machine, in this order.
fn by_digest(reference: &PluginRef, digest: Digest, lock: &Lock, workspace: &Path) -> Result<Component, Problem> {
    if let Some(folder) = &lock.vendor {
        let store = Store::new(workspace.join(folder));
        match store.get(digest, MAX_COMPONENT_BYTES) {
            Stored::Bytes(bytes) => return Ok(Component::File { path: store.path(digest), bytes, digest }),
            Stored::Different => {
                let message = format!("the vendored bytes of `{reference}` are not those that were accepted");
                return Err(Problem::new("plugin::wrong-digest", message)
                    .cause(format!("`{folder}/{}` holds something else", digest.hex()))
                    .help("restore it from version control, or copy it again: sluice plugin vendor"));
            }
            Stored::Missing => {}
        }
    }
    if let Some(store) = cache()
        && let Stored::Bytes(bytes) = store.get(digest, MAX_COMPONENT_BYTES)
    {
        return Ok(Component::File { path: store.path(digest), bytes, digest });
    }
    let bytes = fetch(reference, Some(digest), workspace)?;
    Ok(keep(digest, &bytes, workspace))
}

/// Bytes that are known to be those of the digest.
fn keep(digest: Digest, bytes: &Bytes, workspace: &Path) -> Component {
    let store = cache();
    // Bytes that cannot be kept are fetched again the next time.
    let _ = store.as_ref().map(|store| store.put(digest, bytes));
    let path = store.map_or_else(|| workspace.to_owned(), |store| store.path(digest));
    Component::File { path, bytes: bytes.to_vec(), digest }
}

fn fetch(reference: &PluginRef, digest: Option<Digest>, workspace: &Path) -> Result<Bytes, Problem> {
    let limit = usize::try_from(MAX_COMPONENT_BYTES).unwrap_or(usize::MAX);
    let fetched = match (reference, digest) {
        (PluginRef::Oci(oci), Some(digest)) => with_client(workspace, |client| client.blob(oci, digest, limit)),
        (PluginRef::Url(url), wanted) => {
            sluice_registry_oci::download(&network::exchange, url, limit).and_then(|bytes| match wanted {
                Some(expected) if digest_of(&bytes) != expected => {
                    Err(Failure::WrongDigest { expected, found: digest_of(&bytes) })
                }
                _ => Ok(bytes),
            })
        }
        _ => Err(Failure::Other("nothing says which bytes are meant".into())),
    };
    fetched.map_err(|failure| explain(reference, failure))
}

/// The digests of the manifest and of the component that a registry has under a tag or digest.
fn component_of(oci: &OciRef, which: Which<'_>, lock: &Lock, workspace: &Path) -> Result<(Digest, Digest), Problem> {
    let (manifests, component) = chain(oci, which, lock, workspace)?;
    let top = manifests.first().map(|(digest, _)| *digest);
    Ok((top.ok_or_else(|| failed(&PluginRef::Oci(oci.clone()), "it has no manifest"))?, component))
}

/// The manifests that lead to a component, an index first, and the digest of the component.
pub fn chain(
    oci: &OciRef,
    which: Which<'_>,
    lock: &Lock,
    workspace: &Path,
) -> Result<(Vec<(Digest, Bytes)>, Digest), Problem> {
    let reference = PluginRef::Oci(oci.clone());
    let get = |which| manifest(oci, which, lock, workspace).map_err(|failure| explain(&reference, failure));
    let mut manifests = vec![get(which)?];
    loop {
        let bytes = manifests.last().map(|(_, bytes)| bytes.clone()).unwrap_or_default();
        let content = sluice_registry_oci::read(&bytes).map_err(|reason| {
            Problem::new("plugin::not-a-component", format!("cannot use `{reference}`")).cause(reason)
        })?;
        match content {
            Content::Component { size, .. } if size > MAX_COMPONENT_BYTES => return Err(too_large(&reference)),
            Content::Component { digest, .. } => return Ok((manifests, digest)),
            Content::Manifest { digest } if manifests.len() == 1 => manifests.push(get(Which::Digest(digest))?),
            Content::Manifest { .. } => return Err(failed(&reference, "its index leads to another index")),
        }
    }
}

fn manifest(oci: &OciRef, which: Which<'_>, lock: &Lock, workspace: &Path) -> Result<(Digest, Bytes), Failure> {
    if let Which::Digest(digest) = which {
        for store in stores(lock, workspace) {
            if let Stored::Bytes(bytes) = store.get(digest, MAX_MANIFEST_BYTES as u64) {
                return Ok((digest, bytes.into()));
            }
        }
    }
    let (digest, bytes) = with_client(workspace, |client| client.manifest(oci, which))?;
    // What cannot be kept is fetched again the next time.
    let _ = cache().map(|store| store.put(digest, &bytes));
    Ok((digest, bytes))
}

/// An artifact of a registry: a signature is of its manifest, and its manifest leads to the component.
#[derive(Debug, Clone, Copy)]
pub struct Artifact {
    pub manifest: Digest,
    pub component: Digest,
}

/// Who signed an artifact, if it is somebody trusted. Signatures that were fetched before are enough: what counts is not where
/// they come from.
pub fn signer(
    oci: &OciRef,
    artifact: Artifact,
    trusted: &Trusted,
    lock: &Lock,
    workspace: &Path,
) -> Result<Signer, Problem> {
    let Artifact { manifest, component } = artifact;
    let reference = PluginRef::Oci(oci.clone());
    // A lock that was edited could name signed bytes beside those that run.
    let (_, found) = component_of(oci, Which::Digest(manifest), lock, workspace)?;
    if found != component {
        let message = format!("the manifest of `{reference}` leads to other bytes than those that run");
        return Err(Problem::new("plugin::wrong-digest", message)
            .cause(format!("manifest {manifest} leads to {found}; what runs is {component}"))
            .help("somebody edited the lock by hand: restore it from version control"));
    }
    for known in kept_signatures(manifest, lock, workspace) {
        if let Ok(signer) = signature::verify(manifest, &known, trusted) {
            return Ok(signer);
        }
    }
    let materials = signatures(oci, manifest, workspace)?;
    signature::verify(manifest, &materials, trusted).map_err(|reason| {
        Problem::new("plugin::not-signed", format!("`{reference}` is not signed by anybody who is trusted"))
            .cause(format!("the artifact is {manifest}"))
            .cause(reason.to_string())
    })
}

/// Fetches what may be a signature of the artifact, and keeps it.
pub fn signatures(oci: &OciRef, manifest: Digest, workspace: &Path) -> Result<Vec<Material>, Problem> {
    let materials = with_client(workspace, |client| client.signatures(oci, manifest));
    let materials = materials.map_err(|failure| explain(&PluginRef::Oci(oci.clone()), failure))?;
    if let (false, Some(store)) = (materials.is_empty(), cache()) {
        // What cannot be kept is fetched again the next time.
        let _ = pack::write_whole(&signature_file(&store, manifest), &signature::to_json(&materials));
    }
    Ok(materials)
}

/// Beside the manifest of the artifact.
pub fn signature_file(store: &Store, manifest: Digest) -> PathBuf {
    store.path(manifest).with_extension(SIGNATURES)
}

/// The ending of files with signatures.
pub const SIGNATURES: &str = "signatures";

/// What was fetched before; what cannot be read is not there.
fn kept_signatures(manifest: Digest, lock: &Lock, workspace: &Path) -> impl Iterator<Item = Vec<Material>> + use<> {
    stores(lock, workspace).filter_map(move |store| {
        let mut bytes = Vec::new();
        let file = sluice_beneath::open_anywhere(&signature_file(&store, manifest)).ok()?;
        file.take(MAX_SIGNATURE_BYTES).read_to_end(&mut bytes).ok()?;
        Some(signature::from_json(&bytes))
    })
}

/// The artifact that a reference means: the one in the lock, the one that it names, or what its tag leads to now.
pub fn artifact_of(oci: &OciRef, lock: &Lock, workspace: &Path) -> Result<Artifact, Problem> {
    if let Some(locked) = lock.get(&PluginRef::Oci(oci.clone()))
        && let Some(manifest) = locked.oci_manifest
    {
        return Ok(Artifact { manifest, component: locked.digest });
    }
    let which = oci.digest.map_or(Which::Tag(oci.tag_or_default()), Which::Digest);
    let (manifest, component) = component_of(oci, which, lock, workspace)?;
    Ok(Artifact { manifest, component })
}

/// Talks to registries as who we are to each.
pub fn with_client<T>(workspace: &Path, talk: impl FnOnce(&Client<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let credentials = |registry: &str| network::credentials(registry, workspace);
    talk(&Client::new(&network::exchange, &credentials))
}

/// Where bytes may be, in the repository and in the cache.
fn stores(lock: &Lock, workspace: &Path) -> impl Iterator<Item = Store> + use<> {
    let vendored = lock.vendor.as_ref().map(|folder| Store::new(workspace.join(folder)));
    vendored.into_iter().chain(cache())
}

fn cache() -> Option<Store> {
    Some(Store::new(host::cache_folder()?.join("plugins/sha256")))
}

/// Why a plugin was not had, for people.
pub fn explain(reference: &PluginRef, failure: Failure) -> Problem {
    match failure {
        Failure::WrongDigest { .. } => {
            Problem::new("plugin::wrong-digest", format!("`{reference}` leads to other bytes than it should"))
                .cause(failure.to_string())
                .help("what was accepted is not there any more: ask its author, or look at the new bytes with `sluice plugin show`")
        }
        Failure::Refused(reason) => failed(reference, &reason).help(match reference {
            PluginRef::Oci(oci) => format!("log in with `docker login {}`", oci.registry),
            _ => "a plugin on a web server is fetched without credentials".to_owned(),
        }),
        Failure::TooLarge => too_large(reference),
        Failure::NotFound(reason) | Failure::Other(reason) => {
            let problem = failed(reference, &reason);
            if network::is_offline() {
                return problem.help("fetch it while there is a network, or keep it in the repository: sluice plugin vendor");
            }
            problem
        }
    }
}

fn failed(reference: &PluginRef, reason: &str) -> Problem {
    Problem::new("plugin::not-fetched", format!("cannot fetch `{reference}`")).cause(reason)
}

fn too_large(reference: &PluginRef) -> Problem {
    let limit = MAX_COMPONENT_BYTES >> 20;
    Problem::new("plugin::too-large", format!("`{reference}` is larger than {limit} MiB"))
        .help("strip debug information, or split the plugin")
}
