//! The older format: what stands beside a signature makes a bundle.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sigstore_verify::types::Bundle;
use sluice_model::Digest;

use super::super::{Certified, ring, simple};
use super::{Identity, Signer, authenticate};
use crate::digest_of;

/// Who signed the artifact, if it is the one that is wanted.
pub fn verify(
    manifest: Digest,
    payload: &[u8],
    signature: &str,
    certified: &Certified,
    wanted: &Identity,
) -> Result<Signer, String> {
    let bundle = bundled(payload, signature, certified)
        .ok_or("its certificate or its entry in a log is missing or no such thing")?;
    let bundle =
        Bundle::from_json(&bundle).map_err(|error| format!("what stands beside it cannot be read: {error}"))?;
    let signer = ring::with_message(payload, || authenticate(digest_of(payload), &bundle, &wanted.roots))?;
    simple::check(manifest, payload)?;
    wanted.accepts(signer)
}

/// A bundle of version 0.1, which knows entries that a log has only promised to keep.
fn bundled(payload: &[u8], signature: &str, certified: &Certified) -> Option<String> {
    let certificate = certified.certificate.trim().strip_prefix("-----BEGIN CERTIFICATE-----")?;
    let certificate: String = certificate.strip_suffix("-----END CERTIFICATE-----")?.split_ascii_whitespace().collect();
    let entry: Value = serde_json::from_str(&certified.entry).ok()?;
    let dated = &entry["Payload"];
    let log: Digest = format!("sha256:{}", dated["logID"].as_str()?).parse().ok()?;
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "verificationMaterial": {
            "x509CertificateChain": {"certificates": [{"rawBytes": certificate}]},
            "tlogEntries": [{
                "logIndex": dated["logIndex"].as_u64()?.to_string(),
                "logId": {"keyId": STANDARD.encode(log.to_bytes())},
                "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
                "integratedTime": dated["integratedTime"].as_u64()?.to_string(),
                "inclusionPromise": {"signedEntryTimestamp": entry["SignedEntryTimestamp"]},
                "canonicalizedBody": dated["body"],
            }],
        },
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": STANDARD.encode(digest_of(payload).to_bytes())},
            "signature": signature,
        },
    });
    Some(bundle.to_string())
}
