//! What stands beside an artifact: what refers to it, as newer registries tell, and what has a tag made of its digest.

use bytes::Bytes;
use serde_json::Value;
use sluice_model::Digest;
use sluice_model::reference::OciRef;

use super::{Certified, Material, bundle};
use crate::client::{Client, Which};
use crate::{Failure, MAX_MANIFEST_BYTES};

/// Signatures that are looked at.
const MAX_SIGNATURES: usize = 20;
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const ENTRY: &str = "dev.sigstore.cosign/bundle";

impl Client<'_> {
    /// All that may be a signature of the manifest; nothing if it has none.
    pub fn signatures(&self, reference: &OciRef, manifest: Digest) -> Result<Vec<Material>, Failure> {
        let tag = format!("sha256-{}", manifest.hex());
        let mut found = Vec::new();
        // A registry that knows no referrers has them under a tag.
        let index = match self.referrers(reference, manifest) {
            Err(Failure::NotFound(_)) => self.tagged(reference, &tag)?,
            referrers => Some(referrers?),
        };
        if let Some(index) = index {
            for entry in list(&index, "manifests") {
                let Some(digest) = digest(entry) else { continue };
                let (_, bytes) = self.manifest(reference, Which::Digest(digest))?;
                self.layers(reference, &bytes, &mut found)?;
            }
        }
        if let Some(signature) = self.tagged(reference, &format!("{tag}.sig"))? {
            self.layers(reference, &signature, &mut found)?;
        }
        Ok(found)
    }

    fn tagged(&self, reference: &OciRef, tag: &str) -> Result<Option<Bytes>, Failure> {
        match self.manifest(reference, Which::Tag(tag)) {
            Ok((_, bytes)) => Ok(Some(bytes)),
            Err(Failure::NotFound(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The layers of a manifest that may be signatures.
    fn layers(&self, reference: &OciRef, manifest: &[u8], found: &mut Vec<Material>) -> Result<(), Failure> {
        for layer in list(manifest, "layers") {
            let Some(digest) = digest(&layer).filter(|_| found.len() < MAX_SIGNATURES) else { continue };
            let blob = || self.blob(reference, digest, MAX_MANIFEST_BYTES);
            let kind = layer["mediaType"].as_str();
            if kind == Some(bundle::TYPE) {
                found.push(Material::Bundle(blob()?));
            } else if let (Some(SIMPLE), Some(signature)) = (kind, layer["annotations"][ANNOTATION].as_str()) {
                let beside = |name: &str| layer["annotations"][name].as_str().map(str::to_owned);
                let entry = beside(ENTRY).unwrap_or_default();
                let certified = beside(CERTIFICATE).map(|certificate| Certified { certificate, entry });
                found.push(Material::Simple { payload: blob()?, signature: signature.trim().to_owned(), certified });
            }
        }
        Ok(())
    }
}

fn list(manifest: &[u8], name: &str) -> Vec<Value> {
    let mut manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
    match manifest.get_mut(name).map(Value::take) {
        Some(Value::Array(entries)) => entries.into_iter().take(MAX_SIGNATURES).collect(),
        _ => Vec::new(),
    }
}

fn digest(entry: impl std::borrow::Borrow<Value>) -> Option<Digest> {
    entry.borrow()["digest"].as_str()?.parse().ok()
}
