//! Secrets that a plugin uses without seeing them; and, for what cannot work so, ones that it sees.

use crate::Failure;
use crate::bindings::imports::sluice::host::secrets as wit;

/// A stand-in for the value of the secret `name`, which the host replaces on the way out of an HTTP request, towards
/// granted origins only. It may stand in the value of a header, and in the path and the query of a URL; in a body it is
/// not replaced. [`Request`](crate::http::Request) has ready ways to use it: `bearer_secret`, `basic_secret`,
/// `query_secret`, `url_secret`.
///
/// Fails with `denied` when the step was not granted the secret, with `failed` when this machine has no value for it.
pub fn placeholder(name: &str) -> Result<String, Failure> {
    wit::placeholder(name).map_err(failure)
}

/// The value of the secret `name`. The manifest has to declare `NAME reveal` and each step has to grant it in so many
/// words, so this is for what cannot work otherwise, such as signing. An artifact that holds the value fails the step.
///
/// Fails with `denied` when the step was not granted this, with `failed` when this machine has no value for it.
pub fn reveal(name: &str) -> Result<String, Failure> {
    wit::reveal(name).map_err(failure)
}

fn failure(error: wit::Error) -> Failure {
    match error {
        wit::Error::Denied(message) => Failure::denied(message),
        wit::Error::NotFound(message) => Failure::failed(message),
    }
}
