//! Whom certificates and logs are believed: the trusted roots of an instance of Sigstore.

use sigstore_verify::Verifier;
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};

use super::ring;

/// Authorities of certificates, logs of certificates and of signatures, authorities of time.
pub struct Roots(pub(super) Verifier);

impl Roots {
    /// Those of the public instance, as they were when this version was made.
    pub fn public() -> Result<Self, String> {
        Self::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT)
    }

    /// Reads a `trusted_root.json`. The error says what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        ring::install();
        let root = TrustedRoot::from_json(text).map_err(|error| format!("they cannot be read: {error}"))?;
        let lists = [
            (root.certificate_authorities.is_empty(), "no authority of certificates (`certificateAuthorities`)"),
            (root.ctlogs.is_empty(), "no log of certificates (`ctlogs`)"),
            (root.tlogs.is_empty(), "no log of signatures (`tlogs`)"),
        ];
        if let Some((_, what)) = lists.iter().find(|(empty, _)| *empty) {
            return Err(format!("they name {what}"));
        }
        Verifier::new(&root).map(Self).map_err(|error| format!("they cannot be used: {error}"))
    }
}
