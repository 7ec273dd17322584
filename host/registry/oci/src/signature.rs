//! Who signed an artifact: signatures as `cosign` makes them, in its older format (simple signing) and in bundles, by a key
//! or by an identity.
//!
//! [`verify`] is pure, except that a time of signing in the future is refused: what was fetched and whom somebody trusts go
//! in, the signer comes out.

mod bundle;
mod fetch;
mod keep;
mod key;
mod keyless;
mod ring;
mod roots;
mod simple;
mod statement;

use std::fmt;

use bytes::Bytes;
use sluice_model::Digest;

pub use keep::{from_json, to_json};
pub use key::PublicKey;
pub use keyless::Identity;
pub use roots::Roots;

/// What stands beside an artifact and may be a signature of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// A statement about a digest, its signature in base64, and what stands beside it if it was made without a key.
    Simple { payload: Bytes, signature: String, certified: Option<Certified> },
    /// A bundle of Sigstore, in JSON.
    Bundle(Bytes),
}

/// What `cosign` writes beside a signature in the older format that was made without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// In PEM.
    pub certificate: String,
    /// What the log answered, in JSON: the entry, and its promise to keep it.
    pub entry: String,
}

/// Whose signature is wanted.
pub enum Trusted {
    Key(PublicKey),
    /// Somebody by name, as an issuer of identities says, without a key that is known before.
    Identity(Box<Identity>),
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// Of the public key, in DER.
    Key(Digest),
    /// As the certificate says, and who vouches for it.
    Identity { identity: String, issuer: String },
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Signer::Key(digest) => write!(f, "the key {digest}"),
            Signer::Identity { identity, issuer } => write!(f, "`{identity}` of `{issuer}`"),
        }
    }
}

/// Why there is no signature that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nothing stands beside the artifact.
    Unsigned,
    /// Each of the signatures, with what is wrong with it.
    NoneFits(Vec<String>),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Unsigned => f.write_str("it is not signed"),
            Reason::NoneFits(reasons) => write!(f, "none of its signatures counts: {}", reasons.join("; ")),
        }
    }
}

/// Whether one of the signatures is of this artifact (the digest of its manifest) and by somebody trusted.
pub fn verify(manifest: Digest, materials: &[Material], trusted: &Trusted) -> Result<Signer, Reason> {
    if materials.is_empty() {
        return Err(Reason::Unsigned);
    }
    let mut reasons = Vec::new();
    for material in materials {
        match one(manifest, material, trusted) {
            Ok(signer) => return Ok(signer),
            Err(reason) if !reasons.contains(&reason) => reasons.push(reason),
            Err(_) => {}
        }
    }
    Err(Reason::NoneFits(reasons))
}

fn one(manifest: Digest, material: &Material, trusted: &Trusted) -> Result<Signer, String> {
    match (trusted, material) {
        (Trusted::Key(key), Material::Simple { payload, signature, .. }) => {
            simple::verify(manifest, payload, signature, key)?;
            Ok(Signer::Key(key.digest()))
        }
        (Trusted::Key(key), Material::Bundle(bundle)) => {
            bundle::verify(manifest, bundle, key)?;
            Ok(Signer::Key(key.digest()))
        }
        (Trusted::Identity(wanted), Material::Bundle(bundle)) => keyless::verify(manifest, bundle, wanted),
        (Trusted::Identity(wanted), Material::Simple { payload, signature, certified: Some(certified) }) => {
            keyless::verify_older(manifest, payload, signature, certified, wanted)
        }
        (Trusted::Identity(_), Material::Simple { certified: None, .. }) => Err(keyless::BY_A_KEY.to_owned()),
    }
}

/// What was signed is looked at only after this.
const FORGED: &str = "it is not by this key";

#[cfg(test)]
mod tests;
