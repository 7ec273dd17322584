//! Who signed an artifact: signatures as `cosign` makes them, in its older format (simple signing) and in bundles.
//!
//! [`verify`] is pure: what was fetched and whom somebody trusts go in, the signer comes out.

mod bundle;
mod fetch;
mod keep;
mod key;
mod simple;

use std::fmt;

use bytes::Bytes;
use sluice_model::Digest;

pub use keep::{from_json, to_json};
pub use key::PublicKey;

/// What stands beside an artifact and may be a signature of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// A statement about a digest, and its signature in base64.
    Simple { payload: Bytes, signature: String },
    /// A bundle of Sigstore, in JSON.
    Bundle(Bytes),
}

/// Whose signature is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trusted {
    Key(PublicKey),
    /// Somebody by name, as an issuer of identities says, without a key that is known before. Not verified yet, so always
    /// refused.
    Identity {
        subject: String,
        issuer: String,
    },
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Of the public key, in DER.
    pub key: Digest,
}

/// Why there is no signature that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nothing stands beside the artifact.
    Unsigned,
    /// Each of the signatures, with what is wrong with it.
    NoneFits(Vec<String>),
    /// Signatures without a key are not verified yet.
    Keyless,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Unsigned => f.write_str("it is not signed"),
            Reason::NoneFits(reasons) => write!(f, "none of its signatures counts: {}", reasons.join("; ")),
            Reason::Keyless => {
                f.write_str("signatures by identity are not verified by this version; name a public key")
            }
        }
    }
}

/// Whether one of the signatures is of this artifact (the digest of its manifest) and by somebody trusted.
pub fn verify(manifest: Digest, materials: &[Material], trusted: &Trusted) -> Result<Signer, Reason> {
    let Trusted::Key(key) = trusted else { return Err(Reason::Keyless) };
    if materials.is_empty() {
        return Err(Reason::Unsigned);
    }
    let mut reasons = Vec::new();
    for material in materials {
        let verified = match material {
            Material::Simple { payload, signature } => simple::verify(manifest, payload, signature, key),
            Material::Bundle(bundle) => bundle::verify(manifest, bundle, key),
        };
        match verified {
            Ok(()) => return Ok(Signer { key: key.digest() }),
            Err(reason) if !reasons.iter().any(|known| known == reason) => reasons.push(reason.to_owned()),
            Err(_) => {}
        }
    }
    Err(Reason::NoneFits(reasons))
}

/// What was signed is looked at only after this.
const FORGED: &str = "it is not by this key";

#[cfg(test)]
mod tests;
