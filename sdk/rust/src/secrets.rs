//! Secrets that a plugin uses without seeing them.

use crate::Failure;
use crate::bindings::imports::sluice::host::secrets as wit;

/// A stand-in for the value of the secret `name`. Put it into the value of an HTTP request header: the host replaces
/// it on the way out, on requests to granted origins only. It is worthless anywhere else.
///
/// Fails with `denied` when the step was not granted the secret, with `failed` when this machine has no value for it.
pub fn placeholder(name: &str) -> Result<String, Failure> {
    wit::placeholder(name).map_err(|error| match error {
        wit::Error::Denied(message) => Failure::denied(message),
        wit::Error::NotFound(message) => Failure::failed(message),
    })
}
