//! The distribution protocol: manifests and blobs, with the dance for tokens.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde_json::Value;
use sluice_model::Digest;
use sluice_model::reference::OciRef;

use crate::challenge::{self, Challenge};
use crate::credentials::Credentials;
use crate::location::{encoded, is_same_server, target};
use crate::manifest::{IMAGE_INDEX, IMAGE_MANIFEST};
use crate::{Exchange, Failure, digest_of};

/// A longer manifest is refused, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;
const MAX_TOKEN_BYTES: usize = 128 * 1024;
pub(crate) const MAX_REDIRECTS: usize = 5;
pub(crate) const AGENT: &str = concat!("sluice/", env!("CARGO_PKG_VERSION"));

/// What a manifest is asked for by.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    Tag(&'a str),
    Digest(Digest),
}

/// Talks to registries. Keeps tokens as long as it lives.
pub struct Client<'a> {
    exchange: &'a Exchange<'a>,
    credentials: &'a dyn Fn(&str) -> Result<Option<Credentials>, String>,
    /// Server and scope -> value of `Authorization`.
    tokens: RefCell<BTreeMap<(String, String), String>>,
}

/// One request to a registry.
pub(crate) struct Call<'c> {
    pub method: Method,
    pub uri: Uri,
    pub accept: Option<String>,
    pub content: Option<(&'c str, Bytes)>,
    /// Longest answer, in bytes.
    pub limit: usize,
}

impl<'a> Client<'a> {
    /// `credentials` says who we are to a registry, which it gets as it stands in the reference.
    pub fn new(
        exchange: &'a Exchange<'a>,
        credentials: &'a dyn Fn(&str) -> Result<Option<Credentials>, String>,
    ) -> Self {
        Self { exchange, credentials, tokens: RefCell::default() }
    }

    /// The bytes of a manifest or an index, and their digest.
    pub fn manifest(&self, reference: &OciRef, which: Which<'_>) -> Result<(Digest, Bytes), Failure> {
        let name = match which {
            Which::Tag(tag) => tag.to_owned(),
            Which::Digest(digest) => digest.to_string(),
        };
        let call = Call {
            accept: Some(format!("{IMAGE_MANIFEST}, {IMAGE_INDEX}")),
            ..Call::get(uri(reference, &format!("manifests/{name}"))?, MAX_MANIFEST_BYTES)
        };
        let sent = self.send(reference, call, false).map_err(|failure| match failure {
            Failure::TooLarge => {
                Failure::Other(format!("its manifest is larger than {} KiB", MAX_MANIFEST_BYTES >> 10))
            }
            failure => failure,
        });
        let bytes = expect(sent?, &[StatusCode::OK], reference)?.into_body();
        let found = digest_of(&bytes);
        match which {
            Which::Digest(expected) if expected != found => Err(Failure::WrongDigest { expected, found }),
            _ => Ok((found, bytes)),
        }
    }

    /// An index of what refers to a manifest; not found where the registry does not tell.
    pub(crate) fn referrers(&self, reference: &OciRef, manifest: Digest) -> Result<Bytes, Failure> {
        let call = Call {
            accept: Some(IMAGE_INDEX.to_owned()),
            ..Call::get(uri(reference, &format!("referrers/{manifest}"))?, MAX_MANIFEST_BYTES)
        };
        Ok(expect(self.send(reference, call, false)?, &[StatusCode::OK], reference)?.into_body())
    }

    /// The bytes with this digest, of which there may be at most `limit`.
    pub fn blob(&self, reference: &OciRef, expected: Digest, limit: usize) -> Result<Bytes, Failure> {
        let call = Call::get(uri(reference, &format!("blobs/{expected}"))?, limit);
        let bytes = expect(self.send(reference, call, false)?, &[StatusCode::OK], reference)?.into_body();
        let found = digest_of(&bytes);
        if found == expected { Ok(bytes) } else { Err(Failure::WrongDigest { expected, found }) }
    }

    /// Sends a request with what the registry wants of us, and follows where it leads. What we are to the registry is told to
    /// nobody else.
    pub(crate) fn send(&self, reference: &OciRef, call: Call<'_>, push: bool) -> Result<Response<Bytes>, Failure> {
        let scope = format!("repository:{}:{}", reference.repository, if push { "pull,push" } else { "pull" });
        let key = (reference.registry.to_string(), scope.clone());
        let home = uri(reference, "")?;
        let mut asked = false;
        let mut uri = call.uri.clone();
        for _ in 0..=MAX_REDIRECTS {
            let known = self.tokens.borrow().get(&key).cloned().filter(|_| is_same_server(&home, &uri));
            let response = self.once(&call, &uri, known.as_deref())?;
            match response.status() {
                StatusCode::UNAUTHORIZED if !asked && is_same_server(&home, &uri) => {
                    asked = true;
                    match self.authorization(reference, &response, &scope)? {
                        Some(value) => self.tokens.borrow_mut().insert(key.clone(), value),
                        None => return Ok(response),
                    };
                }
                status if status.is_redirection() && call.method == Method::GET => {
                    uri = target(response.headers(), &uri).map_err(Failure::Other)?;
                }
                _ => return Ok(response),
            }
        }
        Err(Failure::Other(format!("`{}` leads from one place to the next", reference.registry)))
    }

    fn once(&self, call: &Call<'_>, uri: &Uri, authorization: Option<&str>) -> Result<Response<Bytes>, Failure> {
        let mut request = Request::builder().method(call.method.clone()).uri(uri.clone()).header(USER_AGENT, AGENT);
        if let Some(accept) = &call.accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(value) = authorization {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| Failure::Refused("the credentials are not one line of text".into()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let mut body = Bytes::new();
        if let Some((kind, content)) = &call.content {
            request = request.header(CONTENT_TYPE, *kind);
            body = content.clone();
        }
        let request = request.body(body).map_err(|error| Failure::Other(error.to_string()))?;
        (self.exchange)(request, call.limit).map_err(Failure::of_exchange)
    }

    /// The value of `Authorization` that a challenge asks for.
    fn authorization(
        &self,
        reference: &OciRef,
        response: &Response<Bytes>,
        scope: &str,
    ) -> Result<Option<String>, Failure> {
        let registry = reference.registry.to_string();
        let mine = || (self.credentials)(&registry).map_err(Failure::Refused);
        match challenge::read(response.headers()) {
            None => Ok(None),
            Some(Challenge::Basic) => Ok(mine()?.and_then(|credentials| credentials.basic())),
            Some(Challenge::Bearer { realm, service }) => {
                let base: Uri =
                    realm.parse().map_err(|_| Failure::Other(format!("`{registry}` names no server for tokens")))?;
                let plain = reference.registry.is_loopback() && base.scheme_str() == Some("http");
                if base.scheme_str() != Some("https") && !plain {
                    return Err(Failure::Other(format!("`{registry}` wants a token from a server without `https`")));
                }
                let host = api(reference).split(':').next().unwrap_or_default().to_owned();
                let host = if reference.registry.is_loopback() { reference.registry.host().to_owned() } else { host };
                let mine = if challenge::is_of_house(&host, &base) { mine()? } else { None };
                self.token(&base, service.as_deref(), scope, mine.as_ref()).map(Some)
            }
        }
    }

    fn token(
        &self,
        realm: &Uri,
        service: Option<&str>,
        scope: &str,
        mine: Option<&Credentials>,
    ) -> Result<String, Failure> {
        let service = service.unwrap_or_default();
        let (call, basic) = match mine {
            Some(Credentials::IdentityToken(token)) => {
                let form = format!(
                    "grant_type=refresh_token&client_id=sluice&service={}&scope={}&refresh_token={}",
                    encoded(service),
                    encoded(scope),
                    encoded(token)
                );
                let content = ("application/x-www-form-urlencoded", Bytes::from(form));
                let call =
                    Call { method: Method::POST, content: Some(content), ..Call::get(realm.clone(), MAX_TOKEN_BYTES) };
                (call, None)
            }
            mine => {
                let query = format!("service={}&scope={}", encoded(service), encoded(scope));
                let joint = if realm.query().is_some() { '&' } else { '?' };
                let uri = format!("{realm}{joint}{query}").parse();
                let uri = uri.map_err(|_| Failure::Other("the server for tokens has no usable address".into()))?;
                (Call::get(uri, MAX_TOKEN_BYTES), mine.and_then(Credentials::basic))
            }
        };
        // No redirect is followed with credentials in hand.
        let response = self.once(&call, &call.uri, basic.as_deref())?;
        let host = realm.host().unwrap_or_default();
        if !response.status().is_success() {
            let reason = format!("`{host}` gives no token: status {}", response.status().as_u16());
            return Err(Failure::Refused(reason));
        }
        let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let token = ["token", "access_token"].iter().find_map(|name| answer[name].as_str());
        token.map(|token| format!("Bearer {token}")).ok_or_else(|| Failure::Other(format!("`{host}` gives no token")))
    }
}

impl Call<'_> {
    pub fn get(uri: Uri, limit: usize) -> Self {
        Self { method: Method::GET, uri, accept: None, content: None, limit }
    }
}

/// The server that speaks for a registry.
fn api(reference: &OciRef) -> String {
    match reference.registry.to_string().as_str() {
        // The name that people write and the server behind it differ.
        "docker.io" | "index.docker.io" => "registry-1.docker.io".to_owned(),
        other => other.to_owned(),
    }
}

/// Below the repository.
pub(crate) fn uri(reference: &OciRef, path: &str) -> Result<Uri, Failure> {
    let scheme = if reference.registry.is_loopback() { "http" } else { "https" };
    let text = format!("{scheme}://{}/v2/{}/{path}", api(reference), reference.repository);
    text.parse().map_err(|_| Failure::Other(format!("`{reference}` makes no usable URL")))
}

/// The answer, if its status is one of these.
pub(crate) fn expect(
    response: Response<Bytes>,
    wanted: &[StatusCode],
    reference: &OciRef,
) -> Result<Response<Bytes>, Failure> {
    let status = response.status();
    if wanted.contains(&status) {
        return Ok(response);
    }
    let registry = &reference.registry;
    Err(match status {
        StatusCode::NOT_FOUND => Failure::NotFound(format!("`{registry}` has no such artifact")),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Failure::Refused(format!("`{registry}` refuses it: status {}{}", status.as_u16(), said(&response)))
        }
        _ => Failure::Other(format!("`{registry}` answers with status {}{}", status.as_u16(), said(&response))),
    })
}

/// The message in an answer that is an error, on one line.
fn said(response: &Response<Bytes>) -> String {
    const LONGEST: usize = 200;
    let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
    let line: String = message.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if line.is_empty() { line } else { format!(", {line}") }
}
