//! Requests that the host itself makes, such as for the value of a secret. They are no plugin's, so no grant is asked.

use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::ServerName;
use wasmtime_wasi_http::io::TokioIo;

use crate::body::Connection;
use crate::tls;

const CONNECT_TIME: Duration = Duration::from_secs(10);
const WHOLE_TIME: Duration = Duration::from_secs(30);

/// Sends one request, whose URI is a whole `http` or `https` URL, on a connection of its own, and reads the whole answer.
/// No redirect is followed.
///
/// # Errors
/// What happened, in words without anything of the request but its host. The answer may have at most `limit` bytes, and
/// may take 30 seconds.
pub async fn exchange(request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, String> {
    exchange_within(WHOLE_TIME, request, limit).await
}

/// The same for an answer that may take this long.
pub async fn exchange_within(
    whole_time: Duration,
    request: Request<Bytes>,
    limit: usize,
) -> Result<Response<Bytes>, String> {
    let (mut parts, body) = request.into_parts();
    let secure = match parts.uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => false,
        _ => return Err("the address is no `http` or `https` URL".into()),
    };
    let Some(authority) = parts.uri.authority().cloned() else { return Err("the address names no host".into()) };
    let path = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    parts.uri = Uri::from(path);
    let host = HeaderValue::try_from(authority.as_str()).map_err(|_| "the address names no host".to_owned())?;
    parts.headers.insert(header::HOST, host);
    let request = Request::from_parts(parts, Full::new(body));
    let talk = async {
        let connecting = timeout(CONNECT_TIME, connect(&authority, secure));
        let stream = connecting.await.map_err(|_| format!("`{authority}` did not answer within 10 seconds"))??;
        match stream {
            Stream::Plain(stream) => send(TokioIo::new(stream), request, limit).await,
            Stream::Secure(stream) => send(TokioIo::new(*stream), request, limit).await,
        }
        .map_err(|error| format!("the connection with `{authority}` failed: {error}"))
    };
    let late = |_| format!("`{authority}` did not answer within {} seconds", whole_time.as_secs());
    timeout(whole_time, talk).await.map_err(late)?
}

enum Stream {
    Plain(TcpStream),
    Secure(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

async fn connect(authority: &Authority, secure: bool) -> Result<Stream, String> {
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let failed = |error: std::io::Error| format!("`{authority}` could not be reached: {error}");
    let stream = TcpStream::connect((host, port)).await.map_err(failed)?;
    if !secure {
        return Ok(Stream::Plain(stream));
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("`{host}` is no name of a server"))?;
    Ok(Stream::Secure(Box::new(tls::connect(name, stream).await.map_err(failed)?)))
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>, limit: usize) -> Result<Response<Bytes>, String>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(stream).await.map_err(|error| error.to_string())?;
    let _driver = Connection(tokio::spawn(async move {
        // What goes wrong here reaches the request as well.
        let _ = connection.await;
    }));
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, limit).collect().await.map_err(|error| error.to_string())?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}
