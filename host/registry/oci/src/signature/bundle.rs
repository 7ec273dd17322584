//! Bundles of Sigstore, version 0.3: an in-toto statement in an envelope (DSSE).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sluice_model::Digest;

use super::FORGED;
use super::key::PublicKey;
use super::statement::{self, PAYLOAD_TYPE};

pub const TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

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
        return Err(statement::NONE);
    }
    let payload = envelope["payload"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let payload = payload.ok_or(statement::NONE)?;
    let signed = encoded(&payload);
    let signatures = envelope["signatures"].as_array().into_iter().flatten();
    if !signatures.filter_map(|signature| signature["sig"].as_str()).any(|signature| key.signed(&signed, signature)) {
        return Err(FORGED);
    }
    statement::check(manifest, PAYLOAD_TYPE, &payload)
}

/// What is signed of an envelope (DSSE's pre-authentication encoding).
fn encoded(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}
