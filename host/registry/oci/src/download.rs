//! A file of a web server.

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{Request, StatusCode, Uri};
use sluice_model::reference::UrlRef;

use crate::client::{AGENT, MAX_REDIRECTS};
use crate::location::target;
use crate::{Exchange, Failure};

/// Fetches a file of at most `limit` bytes. Nobody is told who we are; redirects are followed, but never to plain HTTP of
/// another machine.
pub fn download(exchange: &Exchange<'_>, reference: &UrlRef, limit: usize) -> Result<Bytes, Failure> {
    let mut uri: Uri =
        reference.url.parse().map_err(|_| Failure::Other(format!("`{}` is no usable URL", reference.url)))?;
    for _ in 0..=MAX_REDIRECTS {
        let request = Request::get(uri.clone()).header(USER_AGENT, AGENT).body(Bytes::new());
        let response = exchange(request.map_err(|error| Failure::Other(error.to_string()))?, limit);
        let response = response.map_err(Failure::of_exchange)?;
        let host = uri.authority().map_or("", |authority| authority.as_str());
        match response.status() {
            StatusCode::OK => return Ok(response.into_body()),
            StatusCode::NOT_FOUND => return Err(Failure::NotFound(format!("`{host}` has no such file"))),
            status if status.is_redirection() => uri = target(response.headers(), &uri).map_err(Failure::Other)?,
            status => return Err(Failure::Other(format!("`{host}` answers with status {}", status.as_u16()))),
        }
    }
    Err(Failure::Other(format!("`{}` leads from one place to the next", reference.url)))
}
