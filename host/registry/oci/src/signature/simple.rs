//! The older format: a statement about a digest, and beside it its signature.

use serde_json::Value;
use sluice_model::Digest;

use super::FORGED;
use super::key::PublicKey;
use super::statement::ELSEWHERE;

const TYPE: &str = "cosign container image signature";

pub fn verify(manifest: Digest, payload: &[u8], signature: &str, key: &PublicKey) -> Result<(), &'static str> {
    if !key.signed(payload, signature) {
        return Err(FORGED);
    }
    check(manifest, payload)
}

/// Whether what was signed says that this artifact was.
pub fn check(manifest: Digest, payload: &[u8]) -> Result<(), &'static str> {
    let statement: Value = serde_json::from_slice(payload).map_err(|_| "what was signed is no JSON")?;
    let critical = &statement["critical"];
    if critical["type"] != TYPE {
        return Err("what was signed is no statement about an artifact");
    }
    match critical["image"]["docker-manifest-digest"].as_str() {
        Some(digest) if digest == manifest.to_string() => Ok(()),
        _ => Err(ELSEWHERE),
    }
}
