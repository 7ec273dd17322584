//! A small blocking HTTP client. The host checks every request against the grants of the step, resolves names and
//! speaks TLS; redirects are not followed, so that what is asked for is what was granted.

mod secret;
mod send;
mod url;

use std::fmt;
use std::time::Duration;

use crate::Failure;
pub use url::Url;

/// How long [`Request::send`] takes at most unless told otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest body that [`Request::send`] takes unless told otherwise, in bytes.
const DEFAULT_MAX_BODY: usize = 64 << 20;

/// A request about to be sent.
#[derive(Clone)]
pub struct Request {
    method: String,
    url: String,
    /// The secret whose value is the URL, if there is one: `url` is then only its stand-in.
    url_in: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    timeout: Duration,
    max_body: usize,
}

impl Request {
    /// A request with any method. The URL is checked by [`send`](Request::send).
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            url_in: None,
            headers: Vec::new(),
            body: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            max_body: DEFAULT_MAX_BODY,
        }
    }

    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    pub fn head(url: impl Into<String>) -> Self {
        Self::new("HEAD", url)
    }

    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url)
    }

    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url)
    }

    /// Add a header; one of the same name stays. A [placeholder](crate::secrets::placeholder) in the value is replaced
    /// by the secret on the way out.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The body. `content-length` is set from it.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self
    }

    /// The time for all of it, from connecting to the last byte of the answer. Default: 30 s.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// The largest body that is accepted, in bytes. Default: 64 MiB.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Send, and wait for the whole answer. Any status is an answer, 500 too.
    pub fn send(self) -> Result<Response, Error> {
        send::send(self)
    }
}

/// Shows neither the path of the URL nor headers nor the body: all three may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = Url::parse(&self.url).map(|url| self.place(&url)).unwrap_or_default();
        f.debug_struct("Request").field("method", &self.method).field("origin", &origin).finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// As they came; a name may stand there more than once. Bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

/// Why there is no answer. The texts name the method and the origin, never path, query, headers or body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The method, the URL or a header is malformed, or one that plugins may not set.
    Invalid(String),
    /// The step was not granted this request.
    Denied(String),
    /// There was no answer in time.
    TimedOut(String),
    /// The other side could not be reached, broke off, or does not speak HTTP or TLS as it should.
    Connection(String),
    /// The server's certificate is not trusted, is out of date, or is for another name. Trying again does not help.
    Untrusted(String),
    /// The body is larger than asked for.
    TooLarge(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Error::Invalid(message)
        | Error::Denied(message)
        | Error::TimedOut(message)
        | Error::Connection(message)
        | Error::Untrusted(message)
        | Error::TooLarge(message)) = self;
        f.write_str(message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(message) => Self::invalid_input(message),
            Error::Denied(message) => Self::denied(message),
            Error::TooLarge(message) => Self::failed(message),
            Error::Untrusted(message) => Self::failed(message)
                .help("if the server is your own, name the file of its certificate authority in `SSL_CERT_FILE`"),
            Error::TimedOut(message) | Error::Connection(message) => Self::transient(message),
        }
    }
}
