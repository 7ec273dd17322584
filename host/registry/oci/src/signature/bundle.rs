//! Bundles of Sigstore, version 0.3: an in-toto statement in an envelope (DSSE).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sluice_model::Digest;

use super::FORGED;
use super::key::PublicKey;

pub const TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// A signature; other statements by the same key, such as where something was built, do not stand for one.
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

pub fn verify(manifest: Digest, bundle: &[u8], key: &PublicKey) -> Result<(), &'static str> {
    let bundle: Value = serde_json::from_slice(bundle).map_err(|_| "its bundle is no JSON")?;
    if bundle["mediaType"] != TYPE {
        return Err("its bundle has another version than 0.3");
    }
    let material = &bundle["verificationMaterial"];
    if material.get("certificate").is_some() || material.get("x509CertificateChain").is_some() {
        return Err("it is by an identity, not by a key");
    }
    let envelope = &bundle["dsseEnvelope"];
    if envelope["payloadType"] != PAYLOAD_TYPE {
        return Err("its bundle holds no statement");
    }
    let payload = envelope["payload"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let payload = payload.ok_or("its bundle holds no statement")?;
    let signed = encoded(&payload);
    let signatures = envelope["signatures"].as_array().into_iter().flatten();
    if !signatures.filter_map(|signature| signature["sig"].as_str()).any(|signature| key.signed(&signed, signature)) {
        return Err(FORGED);
    }
    let statement: Value = serde_json::from_slice(&payload).map_err(|_| "what was signed is no JSON")?;
    if statement["_type"] != STATEMENT || statement["predicateType"] != SIGNATURE {
        return Err("what was signed is a statement of another kind");
    }
    let hex = manifest.hex();
    let mut subjects = statement["subject"].as_array().into_iter().flatten();
    if subjects.any(|subject| subject["digest"]["sha256"] == *hex) { Ok(()) } else { Err("it is of another artifact") }
}

/// What is signed of an envelope (DSSE's pre-authentication encoding).
fn encoded(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}
