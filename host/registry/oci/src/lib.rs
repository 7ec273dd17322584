//! Container registries: components as artifacts (the WebAssembly layout of the CNCF), credentials, signatures.
//!
//! Nothing here opens a connection: requests go through an [`Exchange`] that the caller brings, one at a time. So this crate
//! knows no socket and no TLS, and the one HTTP sender of the house serves it.

mod challenge;
mod client;
mod credential_helper;
mod credentials;
mod download;
mod location;
mod manifest;
mod push;
pub mod signature;

use std::fmt;

use bytes::Bytes;
use http::{Request, Response};
use sha2::{Digest as _, Sha256};
use sluice_model::Digest;

pub use client::{Client, MAX_MANIFEST_BYTES, Which};
pub use credential_helper::ask;
pub use credentials::{Answer, Credentials, DockerConfig};
pub use download::download;
pub use manifest::{Content, read};
pub use push::Artifact;

/// Sends one request, whose URI is a whole URL, and reads an answer of at most so many bytes. Follows no redirect.
pub type Exchange<'a> = dyn Fn(Request<Bytes>, usize) -> Result<Response<Bytes>, String> + 'a;

/// Why something was not had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The registry knows nothing under this name.
    NotFound(String),
    /// The registry wants other credentials, or any.
    Refused(String),
    /// The bytes are others than were asked for.
    WrongDigest { expected: Digest, found: Digest },
    /// There is more of it than was asked for.
    TooLarge,
    /// Anything else: the network, an answer that makes no sense.
    Other(String),
}

impl Failure {
    /// What an [`Exchange`] says that failed. Of its words one matters here: those of a body that is longer than its limit.
    fn of_exchange(reason: String) -> Self {
        if reason.ends_with("length limit exceeded") { Self::TooLarge } else { Self::Other(reason) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotFound(reason) | Failure::Refused(reason) | Failure::Other(reason) => f.write_str(reason),
            Failure::TooLarge => f.write_str("it is too large"),
            Failure::WrongDigest { expected, found } => write!(f, "expected {expected}, got {found}"),
        }
    }
}

/// The digest of bytes.
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}
