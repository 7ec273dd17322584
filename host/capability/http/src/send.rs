use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use sluice_model::grant::{AddressKind, Capability, Host, HttpGrant, Scheme, address_kind, may_reach as allowed};
use sluice_model::{Denial, Ruling, Verdict};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::ServerName;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::body::{Connection, LimitedBody};
use crate::hooks::Hooks;
use crate::inject::{self, Address};
use crate::masked::{self, MaskedBody};
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

    let address = Address::read(hooks, &request)?;
    let matching: Vec<&HttpGrant> = hooks.granted.iter().filter(|grant| address.is_allowed_by(grant)).collect();
    if matching.is_empty() {
        hooks.audit.deny(Denial::new(Capability::Http, address.shown.as_str(), address.grant().to_string()));
        return Err(Error::HttpRequestDenied);
    }
    let request = prepare(hooks, request, &address)?;
    let target = &address.target;

    let connecting = async {
        let addresses = allowed_addresses(hooks, &address, &matching).await?;
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
    Ok(answer(hooks, response.map(|body| LimitedBody::new(body, hooks.body_limit, between_bytes, connection))))
}

/// The request as it goes over the wire: only the path in the first line, our `Host`, secrets in place of stand-ins.
fn prepare(hooks: &Hooks, request: Request<WasiBody>, address: &Address) -> Result<Request<WasiBody>, Error> {
    let (mut parts, body) = request.into_parts();
    let secrets = inject::headers(hooks, &mut parts.headers, &address.shown)?;
    address.check_secrets(hooks, &secrets)?;
    parts.uri = Uri::builder()
        .path_and_query(address.path_and_query.as_str())
        .build()
        .map_err(|_| Error::HttpRequestUriInvalid)?;
    let target = &address.target;
    let host = if target.port == target.scheme.default_port() {
        target.host.to_string()
    } else {
        format!("{}:{}", target.host, target.port)
    };
    parts.headers.insert(header::HOST, HeaderValue::try_from(host).map_err(|_| Error::HttpRequestUriInvalid)?);
    Ok(Request::from_parts(parts, body))
}

/// The answer as the step may see it.
fn answer(hooks: &Hooks, response: Response<LimitedBody>) -> Response<WasiBody> {
    let masks = hooks.injection.placeholders.masks();
    let (mut parts, body) = response.into_parts();
    masked::headers(&mut parts.headers, &masks);
    let mut body = body.boxed_unsync();
    for mask in masks {
        body = MaskedBody::new(body, mask).boxed_unsync();
    }
    Response::from_parts(parts, body)
}

/// Resolves once and keeps the addresses that the step may reach.
async fn allowed_addresses(
    hooks: &Hooks,
    address: &Address,
    matching: &[&HttpGrant],
) -> Result<Vec<SocketAddr>, Error> {
    let target = &address.target;
    let resolved: Vec<SocketAddr> = match &target.host {
        Host::Ip(ip) => vec![SocketAddr::new(*ip, target.port)],
        Host::Name(name) => match tokio::net::lookup_host((name.as_str(), target.port)).await {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                hooks.audit.decide(ruling(address, matching, &[]).detail("address", "none: the name leads nowhere"));
                return Err(Error::DnsError { rcode: Some(error.to_string()), info_code: None });
            }
        },
    };
    let (good, bad): (Vec<SocketAddr>, Vec<SocketAddr>) =
        resolved.into_iter().partition(|address| may_reach(address.ip(), matching));
    if !good.is_empty() {
        hooks.audit.decide(ruling(address, matching, &good));
        return Ok(good);
    }
    let Some(bad) = bad.first() else { return Err(Error::DestinationNotFound) };
    hooks.audit.deny(denial_of_address(address, bad.ip()));
    Err(Error::DestinationIpProhibited)
}

/// The request is allowed, and goes to one of these addresses.
fn ruling(address: &Address, matching: &[&HttpGrant], addresses: &[SocketAddr]) -> Ruling {
    let reaches = |grant: &HttpGrant| addresses.iter().all(|address| may_reach(address.ip(), &[grant]));
    let (target, asked) = (&address.target, address.shown.clone());
    let Some(grant) = matching.iter().find(|grant| reaches(grant)).or(matching.first()) else {
        return Ruling::without_grant(Capability::Http, asked, Verdict::Allowed, "");
    };
    let only_private = grant.private && addresses.iter().any(|address| !may_reach(address.ip(), &[&grant.public()]));
    let private = if only_private { " private" } else { "" };
    let ruling = Ruling::allowed(Capability::Http, &asked, grant);
    // Values stand in no grant.
    let ruling = match asked == target.to_string() {
        true => ruling.narrowest(format_args!("{asked}{private}")),
        false => ruling.narrowest(format_args!("{}{private}", address.grant())),
    };
    let mut addresses: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    // Servers of names like to change the order.
    addresses.sort_unstable();
    addresses.truncate(ADDRESSES_TOLD);
    match addresses.is_empty() || matches!(target.host, Host::Ip(_)) || address.url_secret.is_some() {
        true => ruling,
        false => ruling.detail("address", addresses.join(", ")),
    }
}

fn may_reach(ip: IpAddr, matching: &[&HttpGrant]) -> bool {
    let named = || matching.iter().any(|grant| grant.names_address(ip));
    allowed(ip, named, || matching.iter().any(|grant| grant.private))
}

fn denial_of_address(address: &Address, ip: IpAddr) -> Denial {
    let (why, grant) = match address_kind(ip) {
        AddressKind::Special => ("an address that only a grant of exactly it allows", None),
        _ => ("a private address", Some(format!("{} private", address.grant()))),
    };
    let why = match address.url_secret {
        // Neither the host nor where it leads is for the plugin to know.
        Some(_) => format!("it leads to {why}"),
        None => format!("`{}` leads to {ip}, {why}", address.target.host),
    };
    Denial { capability: Capability::Http, asked: address.shown.clone(), why: Some(why), grant }
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
        let request = Request::get("https://api.example.com/x");
        let hooks = Hooks {
            granted: [].into(),
            body_limit: 0,
            audit: sluice_model::Audit::default(),
            injection: crate::Injection::default(),
        };
        let nothing = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
        let address = Address::read(&hooks, &request.body(nothing).unwrap()).unwrap();
        let text = |ip: &str| denial_of_address(&address, ip.parse().unwrap()).text();
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
