use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use sluice_model::grant::{
    AddressKind, Capability, Host, HttpGrant, HttpTarget, Scheme, address_kind, may_reach as allowed,
};
use sluice_model::{Denial, Ruling, Verdict};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::ServerName;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::body::{Connection, LimitedBody};
use crate::hooks::Hooks;
use crate::tls;

/// The longest patience, whatever the plugin asks for; the step's time limit stands above all.
const CONNECT_AT_MOST: Duration = Duration::from_secs(30);
const FIRST_BYTE_AT_MOST: Duration = Duration::from_secs(300);
const BETWEEN_BYTES_AT_MOST: Duration = Duration::from_secs(60);
const AT_LEAST: Duration = Duration::from_millis(1);
/// The most addresses of a host that a decision names.
const ADDRESSES_TOLD: usize = 4;
/// Head of a response: bytes and number of fields.
const HEAD_BYTES: usize = 128 * 1024;
const HEAD_FIELDS: usize = 256;

/// Sends a request if it is granted.
pub async fn send(
    hooks: &Hooks,
    request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    let clamp = |wish: Option<Duration>, most: Duration| wish.unwrap_or(most).clamp(AT_LEAST, most);
    let connect_time = clamp(options.connect_timeout, CONNECT_AT_MOST);
    let first_byte_time = clamp(options.first_byte_timeout, FIRST_BYTE_AT_MOST);
    let between_bytes = clamp(options.between_bytes_timeout, BETWEEN_BYTES_AT_MOST);

    let target = read_target(hooks, &request)?;
    let matching: Vec<&HttpGrant> = hooks.granted.iter().filter(|grant| grant.allows(&target)).collect();
    if matching.is_empty() {
        let grant = HttpGrant::for_origin(&target).to_string();
        hooks.audit.deny(Denial::new(Capability::Http, target.to_string(), grant));
        return Err(Error::HttpRequestDenied);
    }
    let request = prepare(hooks, request, &target)?;

    let connecting = async {
        let addresses = allowed_addresses(hooks, &target, &matching).await?;
        let stream = connect(&addresses).await?;
        match target.scheme {
            Scheme::Http => handshake(TokioIo::new(stream)).await,
            Scheme::Https => {
                let stream = tls::connect(server_name(&target.host)?, stream).await.map_err(Error::Tls)?;
                handshake(TokioIo::new(stream)).await
            }
        }
    };
    let (mut sender, connection) = timeout(connect_time, connecting).await.map_err(|_| Error::ConnectionTimeout)??;
    let response = timeout(first_byte_time, sender.send_request(request))
        .await
        .map_err(|_| Error::HttpResponseTimeout)?
        .map_err(Error::from)?;
    Ok(response.map(|body| LimitedBody::new(body, hooks.body_limit, between_bytes, connection).boxed_unsync()))
}

fn read_target(hooks: &Hooks, request: &Request<WasiBody>) -> Result<HttpTarget, Error> {
    let uri = request.uri();
    let scheme = if uri.scheme() == Some(&http::uri::Scheme::HTTPS) { Scheme::Https } else { Scheme::Http };
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let refuse = |why: String| {
        let asked = format!("{} {}://{authority}{}", request.method(), scheme.as_str(), uri.path());
        hooks.audit.deny(Denial { capability: Capability::Http, asked, why: Some(why), grant: None });
        Error::HttpRequestDenied
    };
    if [Method::CONNECT, Method::TRACE].contains(request.method()) {
        return Err(refuse(format!("the method `{}` is never sent", request.method())));
    }
    HttpTarget::parse(request.method().as_str(), scheme, authority, path).map_err(refuse)
}

/// The request as it goes over the wire: only the path in the first line, our `Host`, secrets in place of stand-ins.
fn prepare(hooks: &Hooks, request: Request<WasiBody>, target: &HttpTarget) -> Result<Request<WasiBody>, Error> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    // `?query` alone is a valid path in a URL, and not in the first line of a request.
    let path = if path.as_str().starts_with('/') { path.as_str().to_owned() } else { format!("/{path}") };
    parts.uri = Uri::builder().path_and_query(path).build().map_err(|_| Error::HttpRequestUriInvalid)?;
    reveal_secrets(hooks, &mut parts.headers, target)?;
    let host = if target.port == target.scheme.default_port() {
        target.host.to_string()
    } else {
        format!("{}:{}", target.host, target.port)
    };
    parts.headers.insert(header::HOST, HeaderValue::try_from(host).map_err(|_| Error::HttpRequestUriInvalid)?);
    Ok(Request::from_parts(parts, body))
}

fn reveal_secrets(hooks: &Hooks, headers: &mut HeaderMap, target: &HttpTarget) -> Result<(), Error> {
    for (name, value) in headers.iter_mut() {
        let Some((revealed, secrets)) = value.to_str().ok().and_then(|text| (hooks.reveal)(text)) else { continue };
        for secret in secrets {
            let asked = format!("sending the secret `{secret}` in the header `{name}`");
            hooks.audit.decide(Ruling::allowed(Capability::Secrets, asked, secret).detail("to", target.origin()));
        }
        // The error must not hold the value.
        let invalid = || Error::InternalError(Some(format!("a secret in the header `{name}` is not one line of text")));
        *value = HeaderValue::try_from(revealed).map_err(|_| invalid())?;
        value.set_sensitive(true);
    }
    Ok(())
}

/// Resolves once and keeps the addresses that the step may reach.
async fn allowed_addresses(
    hooks: &Hooks,
    target: &HttpTarget,
    matching: &[&HttpGrant],
) -> Result<Vec<SocketAddr>, Error> {
    let resolved: Vec<SocketAddr> = match &target.host {
        Host::Ip(ip) => vec![SocketAddr::new(*ip, target.port)],
        Host::Name(name) => match tokio::net::lookup_host((name.as_str(), target.port)).await {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                hooks.audit.decide(ruling(target, matching, &[]).detail("address", "none: the name leads nowhere"));
                return Err(Error::DnsError { rcode: Some(error.to_string()), info_code: None });
            }
        },
    };
    let (good, bad): (Vec<SocketAddr>, Vec<SocketAddr>) =
        resolved.into_iter().partition(|address| may_reach(address.ip(), matching));
    if !good.is_empty() {
        hooks.audit.decide(ruling(target, matching, &good));
        return Ok(good);
    }
    let Some(bad) = bad.first() else { return Err(Error::DestinationNotFound) };
    hooks.audit.deny(denial_of_address(target, bad.ip()));
    Err(Error::DestinationIpProhibited)
}

/// The request is allowed, and goes to one of these addresses.
fn ruling(target: &HttpTarget, matching: &[&HttpGrant], addresses: &[SocketAddr]) -> Ruling {
    let reaches = |grant: &HttpGrant| addresses.iter().all(|address| may_reach(address.ip(), &[grant]));
    let asked = target.to_string();
    let Some(grant) = matching.iter().find(|grant| reaches(grant)).or(matching.first()) else {
        return Ruling::without_grant(Capability::Http, asked, Verdict::Allowed, "");
    };
    let only_private = grant.private && addresses.iter().any(|address| !may_reach(address.ip(), &[&grant.public()]));
    let private = if only_private { " private" } else { "" };
    let ruling = Ruling::allowed(Capability::Http, &asked, grant).narrowest(format_args!("{asked}{private}"));
    let mut addresses: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    // Servers of names like to change the order.
    addresses.sort_unstable();
    addresses.truncate(ADDRESSES_TOLD);
    match addresses.is_empty() || matches!(target.host, Host::Ip(_)) {
        true => ruling,
        false => ruling.detail("address", addresses.join(", ")),
    }
}

fn may_reach(ip: IpAddr, matching: &[&HttpGrant]) -> bool {
    let named = || matching.iter().any(|grant| grant.names_address(ip));
    allowed(ip, named, || matching.iter().any(|grant| grant.private))
}

fn denial_of_address(target: &HttpTarget, ip: IpAddr) -> Denial {
    let (why, grant) = match address_kind(ip) {
        AddressKind::Special => ("an address that only a grant of exactly it allows", None),
        _ => ("a private address", Some(format!("{} private", HttpGrant::for_origin(target)))),
    };
    let why = Some(format!("`{}` leads to {ip}, {why}", target.host));
    Denial { capability: Capability::Http, asked: target.to_string(), why, grant }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut failure = Error::DestinationNotFound;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Requests are written whole; a failure to say so costs only time.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failure = Error::Connect(error),
        }
    }
    Err(failure)
}

fn server_name(host: &Host) -> Result<ServerName<'static>, Error> {
    match host {
        Host::Ip(ip) => Ok(ServerName::from(*ip)),
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| Error::HttpRequestUriInvalid),
    }
}

async fn handshake<S>(stream: S) -> Result<(http1::SendRequest<WasiBody>, Connection), Error>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_FIELDS)
        .handshake(stream)
        .await
        .map_err(Error::from)?;
    let driver = tokio::spawn(async move {
        // What goes wrong here reaches the plugin through the response.
        let _ = connection.await;
    });
    Ok((sender, Connection(driver)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_where_its_grant_lets_it() {
        for (grant, ip, allowed) in [
            ("GET https://api.example.com/*", "8.8.8.8", true),
            ("GET https://api.example.com/*", "127.0.0.1", false),
            ("GET https://api.example.com/*", "10.0.0.1", false),
            ("GET https://api.example.com/*", "::ffff:10.0.0.1", false),
            ("GET https://api.example.com/*", "169.254.169.254", false),
            ("GET https://api.example.com/* private", "10.0.0.1", true),
            ("GET https://api.example.com/* private", "::1", true),
            ("GET https://api.example.com/* private", "169.254.169.254", false),
            ("GET https://api.example.com/* private", "0.0.0.0", false),
            ("GET http://localhost:8080/*", "127.0.0.1", true),
            ("GET http://localhost:8080/*", "10.0.0.1", false),
            ("GET http://169.254.169.254/latest/*", "169.254.169.254", true),
            ("GET http://127.0.0.1/*", "127.0.0.2", false),
        ] {
            let parsed: HttpGrant = grant.parse().unwrap();
            assert_eq!(may_reach(ip.parse().unwrap(), &[&parsed]), allowed, "{grant} at {ip}");
        }
    }

    #[test]
    fn a_refused_address_is_explained() {
        let target = HttpTarget::parse("GET", Scheme::Https, "api.example.com", "/x").unwrap();
        let text = |ip: &str| denial_of_address(&target, ip.parse().unwrap()).text();
        assert_eq!(
            text("10.0.0.1"),
            "the host denied GET https://api.example.com/x: `api.example.com` leads to 10.0.0.1, a private address; if \
             the step should reach that host too, add to its `grants`:\n    http: [\"GET https://api.example.com/* \
             private\"]"
        );
        assert_eq!(
            text("169.254.169.254"),
            "the host denied GET https://api.example.com/x: `api.example.com` leads to 169.254.169.254, an address that \
             only a grant of exactly it allows"
        );
    }
}
