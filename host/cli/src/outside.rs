//! Plugins from other machines: by digest for a run, by name for those who look for something newer.

use std::fs;
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
            Some(digest) => Some(component_of(oci, Which::Digest(digest), workspace)?.1),
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
            let (manifest, component) = component_of(oci, which, workspace)?;
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
fn component_of(oci: &OciRef, which: Which<'_>, workspace: &Path) -> Result<(Digest, Digest), Problem> {
    let reference = PluginRef::Oci(oci.clone());
    let (top, bytes) = manifest(oci, which, workspace).map_err(|failure| explain(&reference, failure))?;
    let read = |bytes: &[u8]| {
        sluice_registry_oci::read(bytes).map_err(|reason| {
            Problem::new("plugin::not-a-component", format!("cannot use `{reference}`")).cause(reason)
        })
    };
    let content = match read(&bytes)? {
        Content::Manifest { digest } => {
            let inner = manifest(oci, Which::Digest(digest), workspace);
            read(&inner.map_err(|failure| explain(&reference, failure))?.1)?
        }
        content => content,
    };
    match content {
        Content::Component { size, .. } if size > MAX_COMPONENT_BYTES => Err(too_large(&reference)),
        Content::Component { digest, .. } => Ok((top, digest)),
        Content::Manifest { .. } => Err(failed(&reference, "its index leads to another index")),
    }
}

fn manifest(oci: &OciRef, which: Which<'_>, workspace: &Path) -> Result<(Digest, Bytes), Failure> {
    let store = cache();
    if let (Which::Digest(digest), Some(store)) = (which, &store)
        && let Stored::Bytes(bytes) = store.get(digest, MAX_MANIFEST_BYTES as u64)
    {
        return Ok((digest, bytes.into()));
    }
    let (digest, bytes) = with_client(workspace, |client| client.manifest(oci, which))?;
    // What cannot be kept is fetched again the next time.
    let _ = store.map(|store| store.put(digest, &bytes));
    Ok((digest, bytes))
}

/// Who signed the artifact with this manifest, if it is somebody trusted. Signatures that were fetched before are enough: what
/// counts is not where they come from.
pub fn signer(
    oci: &OciRef,
    manifest: Digest,
    trusted: &Trusted,
    lock: &Lock,
    workspace: &Path,
) -> Result<Signer, Problem> {
    for file in kept_signatures(manifest, lock, workspace) {
        let known = fs::read(file).map(|bytes| signature::from_json(&bytes)).unwrap_or_default();
        if let Ok(signer) = signature::verify(manifest, &known, trusted) {
            return Ok(signer);
        }
    }
    let materials = signatures(oci, manifest, workspace)?;
    signature::verify(manifest, &materials, trusted).map_err(|reason| {
        Problem::new(
            "plugin::not-signed",
            format!("`{}` is not signed by anybody who is trusted", PluginRef::Oci(oci.clone())),
        )
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

fn kept_signatures(manifest: Digest, lock: &Lock, workspace: &Path) -> impl Iterator<Item = PathBuf> {
    let vendored = lock.vendor.as_ref().map(|folder| Store::new(workspace.join(folder)));
    let stores = vendored.into_iter().chain(cache());
    let files = stores.map(move |store| signature_file(&store, manifest));
    // Looked at before they are opened: opening a FIFO would wait for its other end.
    files.filter(|file| fs::metadata(file).is_ok_and(|found| found.is_file() && found.len() <= MAX_SIGNATURE_BYTES))
}

/// The manifest of an artifact: the one in the lock, the one that the reference names, or what its tag leads to now.
pub fn manifest_of(oci: &OciRef, lock: &Lock, workspace: &Path) -> Result<Digest, Problem> {
    let locked = lock.get(&PluginRef::Oci(oci.clone())).and_then(|locked| locked.oci_manifest);
    match locked.or(oci.digest) {
        Some(digest) => Ok(digest),
        None => Ok(component_of(oci, Which::Tag(oci.tag_or_default()), workspace)?.0),
    }
}

/// Talks to registries as who we are to each.
pub fn with_client<T>(workspace: &Path, talk: impl FnOnce(&Client<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let credentials = |registry: &str| network::credentials(registry, workspace);
    talk(&Client::new(&network::exchange, &credentials))
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
