//! One request over `wasi:http`.

use std::time::Duration;

use super::{Error, Request, Response, Url};
use crate::bindings::imports::wasi::clocks::monotonic_clock;
use crate::bindings::imports::wasi::http::outgoing_handler;
use crate::bindings::imports::wasi::http::types as wasi;
use crate::bindings::imports::wasi::io::poll::{self, Pollable};
use crate::bindings::imports::wasi::io::streams::{InputStream, OutputStream, StreamError};

/// How much of the answer's body is asked for at once, in bytes.
const READ: u64 = 256 << 10;

/// The request as its error texts name it, and when it must be over.
struct Call {
    name: String,
    limit: Duration,
    deadline: Pollable,
}

pub(super) fn send(request: Request) -> Result<Response, Error> {
    let url = Url::parse(&request.url)?;
    let name = format!("{} {}", request.method, request.place(&url));
    let call =
        Call { name, limit: request.timeout, deadline: monotonic_clock::subscribe_duration(nanos(request.timeout)) };

    let outgoing = outgoing(&request, &url)?;
    let upload = if request.body.is_empty() { None } else { Some(outgoing.body().map_err(|()| call.broken())?) };
    let answer = outgoing_handler::handle(outgoing, Some(options(request.timeout))).map_err(|code| call.error(code))?;
    if let Some(body) = upload {
        // A server may answer, and the host may refuse, before the body is through: then the answer says why.
        if call.upload(&body, &request.body)? {
            let _ = wasi::OutgoingBody::finish(body, None);
        }
    }
    call.wait(&answer.subscribe())?;
    let response = match answer.get() {
        Some(Ok(Ok(response))) => response,
        Some(Ok(Err(code))) => return Err(call.error(code)),
        // Ready and yet no answer, or taken twice: not what the interface promises.
        Some(Err(())) | None => return Err(call.broken()),
    };
    let headers = response.headers().entries();
    let headers = headers.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()));
    Ok(Response {
        status: response.status(),
        headers: headers.collect(),
        body: call.download(&response, request.max_body)?,
    })
}

fn outgoing(request: &Request, url: &Url) -> Result<wasi::OutgoingRequest, Error> {
    let fields = wasi::Fields::new();
    let own = [("content-length".to_owned(), request.body.len().to_string().into_bytes())];
    let length_matters = !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    let own = own.iter().filter(|_| length_matters);
    for (name, value) in
        own.chain(request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")))
    {
        fields.append(name, value).map_err(|error| match error {
            wasi::HeaderError::Forbidden => Error::Invalid(format!("plugins may not set the header `{name}`")),
            wasi::HeaderError::InvalidSyntax | wasi::HeaderError::Immutable => {
                Error::Invalid(format!("the header `{name}` has a malformed name or value"))
            }
        })?;
    }
    let outgoing = wasi::OutgoingRequest::new(fields);
    let scheme = if url.secure { wasi::Scheme::Https } else { wasi::Scheme::Http };
    outgoing
        .set_method(&method(&request.method))
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(&url.authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&url.path_and_query)))
        .map_err(|()| Error::Invalid("the method or the URL is malformed".to_owned()))?;
    Ok(outgoing)
}

fn method(name: &str) -> wasi::Method {
    match name {
        "GET" => wasi::Method::Get,
        "HEAD" => wasi::Method::Head,
        "POST" => wasi::Method::Post,
        "PUT" => wasi::Method::Put,
        "DELETE" => wasi::Method::Delete,
        "PATCH" => wasi::Method::Patch,
        "OPTIONS" => wasi::Method::Options,
        other => wasi::Method::Other(other.to_owned()),
    }
}

/// The host may know shorter limits of its own; a time that it cannot take is left to the deadline.
fn options(limit: Duration) -> wasi::RequestOptions {
    let options = wasi::RequestOptions::new();
    let limit = Some(nanos(limit));
    let _ = options.set_connect_timeout(limit);
    let _ = options.set_first_byte_timeout(limit);
    let _ = options.set_between_bytes_timeout(limit);
    options
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Call {
    /// Wait until `ready`, or fail when the time is over.
    fn wait(&self, ready: &Pollable) -> Result<(), Error> {
        let first = poll::poll(&[ready, &self.deadline]);
        if first.contains(&0) { Ok(()) } else { Err(self.timed_out()) }
    }

    /// Returns whether all bytes went out.
    fn upload(&self, body: &wasi::OutgoingBody, bytes: &[u8]) -> Result<bool, Error> {
        let stream: OutputStream = body.write().map_err(|()| self.broken())?;
        let ready = stream.subscribe();
        let mut rest = bytes;
        while !rest.is_empty() {
            let Ok(room) = stream.check_write() else { return Ok(false) };
            if room == 0 {
                self.wait(&ready)?;
                continue;
            }
            let (now, later) = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            if stream.write(now).is_err() {
                return Ok(false);
            }
            rest = later;
        }
        Ok(stream.flush().is_ok())
    }

    fn download(&self, response: &wasi::IncomingResponse, max: usize) -> Result<Vec<u8>, Error> {
        let body = response.consume().map_err(|()| self.broken())?;
        let stream: InputStream = body.stream().map_err(|()| self.broken())?;
        let ready = stream.subscribe();
        let mut bytes = Vec::new();
        loop {
            self.wait(&ready)?;
            match stream.read(READ) {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(StreamError::Closed) => return Ok(bytes),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(match wasi::http_error_code(&error) {
                        Some(code) => self.error(code),
                        None => self.broken(),
                    });
                }
            }
            if bytes.len() > max {
                return Err(Error::TooLarge(format!("the answer to `{}` is larger than {max} bytes", self.name)));
            }
        }
    }

    fn timed_out(&self) -> Error {
        Error::TimedOut(format!("`{}` had no whole answer within {:?}", self.name, self.limit))
    }

    fn broken(&self) -> Error {
        Error::Connection(format!("`{}` broke off", self.name))
    }

    fn error(&self, code: wasi::ErrorCode) -> Error {
        use wasi::ErrorCode as Code;
        let name = &self.name;
        match code {
            Code::HttpRequestDenied => Error::Denied(format!("the host denied `{name}`")),
            Code::DestinationIpProhibited => {
                Error::Denied(format!("the host denied `{name}`: it leads to an address that no step may reach"))
            }
            Code::ConnectionTimeout
            | Code::ConnectionReadTimeout
            | Code::ConnectionWriteTimeout
            | Code::HttpResponseTimeout
            | Code::DnsTimeout => self.timed_out(),
            Code::HttpRequestUriInvalid | Code::HttpRequestUriTooLong | Code::HttpRequestMethodInvalid => {
                Error::Invalid(format!("`{name}`: the method or the URL is malformed"))
            }
            Code::HttpResponseBodySize(_) => Error::TooLarge(format!("the answer to `{name}` is larger than allowed")),
            Code::TlsCertificateError => Error::Untrusted(format!(
                "`{name}` failed: the server's certificate is not trusted, is out of date, or is for another name"
            )),
            other => Error::Connection(format!("`{name}` failed: {}", reason(&other))),
        }
    }
}

fn reason(code: &wasi::ErrorCode) -> String {
    use wasi::ErrorCode as Code;
    match code {
        Code::DnsError(_) | Code::DestinationNotFound => "the name of the server is unknown".to_owned(),
        Code::DestinationUnavailable | Code::DestinationIpUnroutable => "the server cannot be reached".to_owned(),
        Code::ConnectionRefused => "the connection was refused".to_owned(),
        Code::ConnectionTerminated | Code::HttpResponseIncomplete => "the connection was closed early".to_owned(),
        Code::TlsProtocolError | Code::TlsAlertReceived(_) => "no secure connection could be made".to_owned(),
        Code::HttpProtocolError => "the answer is not HTTP".to_owned(),
        Code::InternalError(Some(text)) => text.clone(),
        // The name of the case, in words: `HttpResponseHeaderSize` and its like are rare and for experts.
        other => format!("{other:?}"),
    }
}
