//! What is signed in a bundle: an in-toto statement about the digest of an artifact.

use serde_json::Value;
use sluice_model::Digest;

pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// A signature; other statements by the same signer, such as where something was built, do not stand for one.
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

pub const NONE: &str = "its bundle holds no statement";
pub const ELSEWHERE: &str = "it is of another artifact";

/// Whether what was signed says that this artifact was.
pub fn check(manifest: Digest, payload_type: &str, payload: &[u8]) -> Result<(), &'static str> {
    if payload_type != PAYLOAD_TYPE {
        return Err(NONE);
    }
    let statement: Value = serde_json::from_slice(payload).map_err(|_| "what was signed is no JSON")?;
    if statement["_type"] != STATEMENT || statement["predicateType"] != SIGNATURE {
        return Err("what was signed is a statement of another kind");
    }
    let hex = manifest.hex();
    let mut subjects = statement["subject"].as_array().into_iter().flatten();
    if subjects.any(|subject| subject["digest"]["sha256"] == *hex) { Ok(()) } else { Err(ELSEWHERE) }
}
