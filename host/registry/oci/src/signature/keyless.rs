//! Signatures without a key of their own: an authority gives a certificate for one identity and one signature, and a public
//! log testifies when.
//!
//! The library checks the certificate at that time (authority, usage, its own log), the entry in the log (proof and signed
//! checkpoint, or signed time of entry) and the signature. What was signed, and by whom, is looked at here.

mod older;

use sigstore_verify::types::{Bundle, Sha256Hash, SignatureContent};
use sigstore_verify::{CertificateError, Error, VerificationPolicy};
use sluice_model::{Digest, IdentityPattern};

use super::roots::Roots;
use super::{Signer, statement};

pub use older::verify as verify_older;

pub const BY_A_KEY: &str = "it is by a key, not by an identity";

/// Whose signature is wanted, without a key that is known before.
pub struct Identity {
    /// Somebody, or all that begin the same.
    pub subject: IdentityPattern,
    /// Who vouches for the name.
    pub issuer: String,
    pub roots: Roots,
}

/// Who signed the artifact, if it is the one that is wanted.
pub fn verify(manifest: Digest, bundle: &[u8], wanted: &Identity) -> Result<Signer, String> {
    let text = std::str::from_utf8(bundle).map_err(|_| "its bundle is no text")?;
    let bundle = Bundle::from_json(text).map_err(|error| format!("its bundle cannot be read: {error}"))?;
    if bundle.signing_certificate().is_none() {
        return Err(BY_A_KEY.to_owned());
    }
    let signer = authenticate(manifest, &bundle, &wanted.roots)?;
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
        return Err(statement::NONE.to_owned());
    };
    statement::check(manifest, &envelope.payload_type, envelope.payload.as_bytes())?;
    wanted.accepts(signer)
}

impl Identity {
    fn accepts(&self, signer: Signer) -> Result<Signer, String> {
        match &signer {
            Signer::Identity { identity, issuer } if *issuer == self.issuer && self.subject.covers(identity) => {
                Ok(signer)
            }
            other => Err(format!("it is by {other}")),
        }
    }
}

/// Who signed, whoever it is.
fn authenticate(manifest: Digest, bundle: &Bundle, roots: &Roots) -> Result<Signer, String> {
    let artifact = Sha256Hash::new(manifest.to_bytes());
    let verified = roots.0.verify(artifact, bundle, &VerificationPolicy::any_identity()).map_err(reason)?;
    // The policy asks for all of them; a version that passed one over would be found out.
    if !(verified.certificate_verified() && verified.sct_verified() && verified.tlog_verified()) {
        return Err("its certificate or its entry in the log was not verified".to_owned());
    }
    match (verified.identity(), verified.issuer()) {
        (Some(identity), Some(issuer)) => {
            Ok(Signer::Identity { identity: identity.to_string(), issuer: issuer.to_owned() })
        }
        _ => Err("its certificate names nobody, or no issuer".to_owned()),
    }
}

fn reason(error: Error) -> String {
    match error {
        Error::ArtifactMismatch(_) => statement::ELSEWHERE.to_owned(),
        Error::SignatureInvalid(_) => "it is not by the key in its certificate".to_owned(),
        Error::Certificate(CertificateError::NoValidAuthority { time }) => {
            format!("no authority of the trusted roots gave certificates at {time}")
        }
        Error::Certificate(error) => format!("its certificate does not count: {error}"),
        Error::TransparencyLog(error) => format!("its entry in the log does not count: {error}"),
        Error::Timestamp(error) => format!("nobody who is trusted says when it was made: {error}"),
        other => format!("its bundle does not count: {other}"),
    }
}

#[cfg(test)]
mod tests;
