//! Requests from end to end: HTTPS with real certificates, and names that lead to private addresses.

use std::net::{IpAddr, ToSocketAddrs};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::environment::{Environment, Ran};
use crate::server::{OK, Server};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut parameters = CertificateParams::new([]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A server whose certificate is for `name`, a host name or an address.
fn secure_server(authority: &Authority, name: &str) -> Server {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    Server::start_tls(&[OK], config)
}

/// Sends one message to `url`, trusting only `trusted`.
fn notify(url: &str, more: &str, trusted: Option<&Authority>) -> Ran {
    let mut environment = Environment::new();
    environment.write(
        "sluice.yaml",
        format!("steps:\n  - uses: notify\n    with: {{url: \"{url}\", format: json, attempts: 2}}\n{more}"),
    );
    if let Some(authority) = trusted {
        environment.write("authority.pem", authority.pem());
        let path = environment.workspace().join("authority.pem");
        environment.variable("SSL_CERT_FILE", path.to_str().unwrap());
    }
    environment.sluice(&["run"])
}

#[test]
fn https_reaches_a_trusted_server_and_no_other() {
    let (ours, other) = (authority(), authority());
    let refused = "the server's certificate is not trusted, is out of date, or is for another name";
    for (name, trusted, expected) in [
        ("127.0.0.1", &ours, None),
        ("127.0.0.1", &other, Some(refused)),
        ("hooks.example.com", &ours, Some(refused)),
        ("127.0.0.2", &ours, Some(refused)),
    ] {
        let server = secure_server(&ours, name);
        let ran = notify(&server.url("/hook"), "", Some(trusted));
        let seen = server.requests();
        match expected {
            None => {
                let ran = ran.exits_with(0);
                assert_eq!(seen.len(), 1, "{}", ran.whole());
                assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/hook"));
                assert_eq!(seen[0].header("host"), Some(server.address.as_str()));
            }
            Some(message) => {
                let ran = ran.exits_with(1);
                let said = format!("`POST {}` failed: {message}", server.url(""));
                assert!(ran.unwrapped().contains(&said), "{name}: `{said}` is not in\n{}", ran.whole());
                assert!(ran.unwrapped().contains("SSL_CERT_FILE"), "{}", ran.whole());
                assert!(seen.is_empty(), "{name}: a request went to a server that is not trusted");
                assert!(!ran.whole().contains("next attempt"), "trying again does not help: {}", ran.whole());
            }
        }
    }
}

#[test]
fn plain_http_is_not_taken_for_https() {
    let server = Server::start(&[OK]);
    let url = server.url("/hook").replace("http://", "https://");
    let ran = notify(&url, "", Some(&authority())).exits_with(1);
    assert!(ran.unwrapped().contains("no secure connection could be made"), "{}", ran.whole());
}

/// A name other than `localhost` that this machine, with its `/etc/hosts` as it is, finds at an address of its own.
fn name_of_this_machine() -> Option<(String, IpAddr)> {
    let own = Command::new("uname").arg("-n").output().ok()?.stdout;
    let own = String::from_utf8(own).ok()?.trim().to_ascii_lowercase();
    [own.as_str(), "ip6-localhost", "ip6-loopback", "localhost.localdomain", "sluice.localhost"].into_iter().find_map(
        |name| {
            let address = (name, 80).to_socket_addrs().ok()?.next()?.ip();
            let own = address.is_loopback() || matches!(address, IpAddr::V4(v4) if v4.is_private());
            own.then(|| (name.to_owned(), address))
        },
    )
}

#[test]
fn a_name_that_leads_to_a_private_address_is_refused() {
    let Some((name, address)) = name_of_this_machine() else {
        eprintln!("skipped: no name of this machine leads to an address of its own");
        assert!(std::env::var_os("CI").is_none(), "a machine for CI must have a name");
        return;
    };
    let server = Server::start_at(address, &[OK]);
    let url = format!("http://{name}:{}/hook", server.port());
    let ran = notify(&url, "", None).exits_with(1);
    let said = format!("`{name}` leads to {address}, a private address");
    assert!(ran.unwrapped().contains(&said), "`{said}` is not in\n{}", ran.whole());
    assert!(server.requests().is_empty(), "the request went out");

    let grants = format!("    grants: {{http: [\"POST {url} private\"]}}\n");
    notify(&url, &grants, None).exits_with(0);
    assert_eq!(server.requests().len(), 1, "the workflow allowed the private address");

    let server = Server::start(&[OK]);
    notify(&format!("http://localhost:{}/hook", server.port()), "", None).exits_with(0);
    assert_eq!(server.requests().len(), 1, "`localhost` names the address itself");
}
