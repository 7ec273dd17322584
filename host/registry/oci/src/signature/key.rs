//! Public keys: ECDSA on P-256, as `cosign generate-key-pair` makes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use sluice_model::Digest;

use crate::digest_of;

/// A key that signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `SubjectPublicKeyInfo`.
    der: Vec<u8>,
}

/// What stands before the point of a P-256 key in DER: the algorithm and the curve.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point, in bytes.
const POINT: usize = 65;

impl PublicKey {
    /// Reads `-----BEGIN PUBLIC KEY-----`.
    pub fn from_pem(text: &str) -> Result<Self, &'static str> {
        let inner = text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----");
        let inner = inner.and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"));
        let inner = inner.ok_or("it does not begin with `-----BEGIN PUBLIC KEY-----` and end likewise")?;
        let base64: String = inner.split_ascii_whitespace().collect();
        let der = STANDARD.decode(base64).map_err(|_| "what stands in it is no base64")?;
        if der.len() == P256.len() + POINT && der.starts_with(&P256) {
            Ok(Self { der })
        } else {
            Err("only keys for ECDSA on P-256 are read, as `cosign generate-key-pair` makes them")
        }
    }

    /// Names the key.
    pub fn digest(&self) -> Digest {
        digest_of(&self.der)
    }

    /// Whether the signature, in base64, is of these bytes by this key.
    pub(super) fn signed(&self, bytes: &[u8], signature: &str) -> bool {
        let point = self.der.get(P256.len()..).unwrap_or_default();
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(bytes, &signature).is_ok()
    }
}
