//! Components into registries, in the WebAssembly layout of the CNCF.

use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use sluice_model::Digest;
use sluice_model::reference::OciRef;

use crate::client::{Call, Client, expect, uri};
use crate::location::target;
use crate::manifest::{self, IMAGE_MANIFEST};
use crate::{Failure, digest_of};

/// Longest answer to a push, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// A component on its way into a registry.
#[derive(Debug)]
pub struct Artifact {
    pub component: Bytes,
    pub exports: Vec<String>,
    pub imports: Vec<String>,
    /// An object of texts.
    pub annotations: Value,
}

impl Artifact {
    /// The same component gives the same bytes: there is no date of today in it.
    fn config(&self) -> Vec<u8> {
        json!({
            "created": "1970-01-01T00:00:00Z",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [digest_of(&self.component)],
            "component": {"exports": self.exports, "imports": self.imports, "target": null},
        })
        .to_string()
        .into_bytes()
    }
}

impl Client<'_> {
    /// Pushes under the tag of the reference, and gives the digest of the manifest.
    pub fn push(&self, reference: &OciRef, artifact: &Artifact) -> Result<Digest, Failure> {
        let config = Bytes::from(artifact.config());
        self.upload(reference, &artifact.component)?;
        self.upload(reference, &config)?;
        let sized = |bytes: &Bytes| (digest_of(bytes), bytes.len());
        let manifest = Bytes::from(manifest::write(sized(&config), sized(&artifact.component), &artifact.annotations));
        let call = Call {
            method: Method::PUT,
            content: Some((IMAGE_MANIFEST, manifest.clone())),
            ..Call::get(uri(reference, &format!("manifests/{}", reference.tag_or_default()))?, MAX_ANSWER)
        };
        expect(self.send(reference, call, true)?, &[StatusCode::CREATED], reference)?;
        Ok(digest_of(&manifest))
    }

    fn upload(&self, reference: &OciRef, bytes: &Bytes) -> Result<(), Failure> {
        let digest = digest_of(bytes);
        let call = |method, path: &str| Ok(Call { method, ..Call::get(uri(reference, path)?, MAX_ANSWER) });
        let there = self.send(reference, call(Method::HEAD, &format!("blobs/{digest}"))?, true)?;
        if there.status() == StatusCode::OK {
            return Ok(());
        }
        let begun = self.send(reference, call(Method::POST, "blobs/uploads/")?, true)?;
        let begun = expect(begun, &[StatusCode::ACCEPTED], reference)?;
        let place = target(begun.headers(), &uri(reference, "")?).map_err(Failure::Other)?;
        let joint = if place.query().is_some() { '&' } else { '?' };
        let place: Uri = format!("{place}{joint}digest={digest}")
            .parse()
            .map_err(|_| Failure::Other("the registry names no usable place for bytes".into()))?;
        let put = Call {
            method: Method::PUT,
            content: Some(("application/octet-stream", bytes.clone())),
            ..Call::get(place, MAX_ANSWER)
        };
        expect(self.send(reference, put, true)?, &[StatusCode::CREATED], reference).map(|_| ())
    }
}
