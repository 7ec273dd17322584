//! Random grants and requests: what covers what, against a slow look at single requests; and how hosts are read, against a
//! reader of URLs that others use.

use proptest::prelude::*;

use super::*;

fn select(texts: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    prop::sample::select(texts.to_vec()).prop_map(str::to_owned)
}

fn http() -> impl Strategy<Value = HttpGrant> {
    let host = select(&[
        "a.example.com",
        "*.example.com",
        "*.a.example.com",
        "b.a.example.com",
        "evil-example.com",
        "example.com",
        "10.0.0.1",
        "[::ffff:10.0.0.1]",
        "localhost",
    ]);
    let path = select(&["", "/*", "/", "/v1", "/v1*", "/v1/", "/v1/*", "/v1/x", "/v1/x*"]);
    (select(&["GET", "POST", "*"]), select(&["http", "https"]), host, select(&["", ":80", ":443", ":8080"]), path)
        .prop_map(|(method, scheme, host, port, path)| format!("{method} {scheme}://{host}{port}{path}").parse().unwrap())
}

/// Enough requests to tell any two of the grants above apart.
fn requests() -> Vec<HttpTarget> {
    let mut requests = Vec::new();
    for host in [
        "a.example.com",
        "b.a.example.com",
        "c.b.a.example.com",
        "z.example.com",
        "example.com",
        "evil-example.com",
        "10.0.0.1",
        "[::ffff:10.0.0.1]",
        "localhost",
    ] {
        for (scheme, port) in [(Scheme::Http, ""), (Scheme::Http, ":443"), (Scheme::Https, ""), (Scheme::Https, ":80")] {
            for port in [port, ":8080"] {
                for path in ["/", "/v1", "/v1/", "/v1/x", "/v1/xy", "/v1/z", "/v10", "/v1//x", "/v1/../x", "/v1/%2e%2e/x"] {
                    for method in ["GET", "POST", "PURGE"] {
                        requests.push(HttpTarget::parse(method, scheme, &format!("{host}{port}"), path).unwrap());
                    }
                }
            }
        }
    }
    requests
}

fn file() -> impl Strategy<Value = FileGrant> {
    (select(&["read", "write"]), select(&[".", "a", "a/b", "ab", "a/b/c", "b", "./a//", "a/./b"]))
        .prop_map(|(access, path)| format!("{access} {path}").parse().unwrap())
}

fn tcp() -> impl Strategy<Value = TcpGrant> {
    let host = select(&["localhost", "db.example.com", "DB.example.com.", "10.0.0.1", "[::ffff:10.0.0.1]", "[::1]"]);
    (host, select(&["80", "5432", "*"])).prop_map(|(host, port)| format!("{host}:{port}").parse().unwrap())
}

/// What looks like a host to somebody: labels, numbers in several bases, brackets, escapes, other scripts.
fn authority() -> impl Strategy<Value = String> {
    let piece = select(&[
        "a", "A", "example", "com", ".", "..", "-", "_", "1", "127", "0x7f", "0X7F", "017", "256", "4294967295", "xn--", "xn--e1aybc",
        "localhost", ":", ":80", ":443", ":0443", ":+80", ":0", ":65536", "@", "u:p@", "[", "]", "[::1]", "::", "ffff:", "%2e", "%41",
        "ä", "。", "K", "ſ", "\u{ad}", "\u{200b}", " ", "\t", "\\", "*", "/", "?", "#",
    ]);
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

fn path() -> impl Strategy<Value = String> {
    let piece = select(&["/", "a", "v1", ".", "..", "%2e", "%2F", "\\", "*", "?q=/..", "#f", " ", "ä", ";", "//"]);
    prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// A host as the other reader has it; a dot at the end means the same.
fn read_by_others(host: url::Host<&str>) -> Host {
    match host {
        url::Host::Domain(name) => Host::Name(name.strip_suffix('.').unwrap_or(name).to_owned()),
        url::Host::Ipv4(ip) => Host::Ip(ip.into()),
        url::Host::Ipv6(ip) => Host::Ip(ip.into()),
    }
}

proptest! {
    #[test]
    fn an_http_grant_covers_what_allows_no_other_request(outer in http(), inner in http()) {
        let beyond = requests().into_iter().find(|request| inner.allows(request) && !outer.allows(request));
        prop_assert_eq!(outer.covers(&inner), beyond.is_none(), "{} covers {}: {:?}", outer, inner, beyond);
    }

    #[test]
    fn a_file_grant_covers_what_allows_no_other_access(outer in file(), inner in file()) {
        let parts = ["a", "b", "c", "ab", "z"];
        let mut paths = vec![".".to_owned()];
        paths.extend(parts.iter().map(|part| (*part).to_owned()));
        paths.extend(parts.iter().flat_map(|one| parts.map(|two| format!("{one}/{two}"))));
        paths.extend(parts.iter().flat_map(|one| parts.iter().flat_map(move |two| parts.map(|three| format!("{one}/{two}/{three}")))));
        paths.extend(["a/b/c/d".to_owned()]);
        let allows = |grant: &FileGrant, access: Access, path: &str| grant.access >= access && grant.contains(path);
        let all = || paths.iter().flat_map(|path| [(Access::Read, path), (Access::Write, path)]);
        let beyond = all().find(|(access, path)| allows(&inner, *access, path) && !allows(&outer, *access, path));
        prop_assert_eq!(outer.covers(&inner), beyond.is_none(), "{} covers {}: {:?}", outer, inner, beyond);
    }

    #[test]
    fn a_tcp_grant_covers_what_allows_no_other_connection(outer in tcp(), inner in tcp()) {
        let allows = |grant: &TcpGrant, host: &Host, port: u16| grant.host == *host && grant.allows_port(port);
        let beyond = [80, 5432, 1].into_iter().find(|port| allows(&inner, &inner.host, *port) && !allows(&outer, &inner.host, *port));
        prop_assert_eq!(outer.covers(&inner), beyond.is_none(), "{} covers {}: {:?}", outer, inner, beyond);
    }

    /// The plan asks `covers`, the call `allows`.
    #[test]
    fn the_plan_and_the_call_decide_alike(grant in http(), at in 0usize..10_000) {
        let requests = requests();
        let request = &requests[at % requests.len()];
        // A request whose path could mean another one has no grant of its own.
        if let Ok(exactly) = request.to_string().parse::<HttpGrant>() {
            prop_assert_eq!(grant.allows(request), grant.covers(&exactly), "{} and {}", grant, request);
        }
    }

    /// Whatever both sides allow alone, and nothing else, is in what they allow together.
    #[test]
    fn an_intersection_allows_what_both_allow(one in prop::collection::vec(http(), 0..3), other in prop::collection::vec(http(), 0..3)) {
        let (one, other) = (Grants { http: one, ..Grants::default() }, Grants { http: other, ..Grants::default() });
        let both = one.intersect(&other);
        let allows = |grants: &Grants, request: &HttpTarget| grants.http.iter().any(|grant| grant.allows(request));
        for request in requests() {
            if allows(&both, &request) {
                prop_assert!(allows(&one, &request) && allows(&other, &request), "{}", request);
            }
        }
    }

    #[test]
    fn hosts_are_read_as_others_read_them(authority in authority(), path in path(), https in any::<bool>()) {
        let scheme = if https { Scheme::Https } else { Scheme::Http };
        let Ok(target) = HttpTarget::parse("GET", scheme, &authority, &path) else { return Ok(()) };
        let Ok(url) = url::Url::parse(&format!("{}://{authority}{path}", scheme.as_str())) else {
            // Only a name that decodes to nothing is refused there and taken here; nobody can send a request to it.
            prop_assert!(authority.to_ascii_lowercase().contains("xn--"), "{}", authority);
            return Ok(());
        };
        prop_assert_eq!(read_by_others(url.host().unwrap()), target.host, "{}", authority);
        prop_assert_eq!(url.port_or_known_default(), Some(target.port), "{}", authority);
        prop_assert_eq!((url.username(), url.password()), ("", None));
        let plain: Result<HttpGrant, _> = format!("GET {}://{authority}{}", scheme.as_str(), target.path).parse();
        if plain.is_ok() && target.path.is_ascii() {
            prop_assert_eq!(url.path(), target.path);
        }
    }

    /// A grant names the same host as the URL that it looks like.
    #[test]
    fn grants_are_read_as_others_read_them(authority in authority(), path in path()) {
        let text = format!("https://{authority}{path}");
        let Ok(grant) = format!("GET {text}").parse::<HttpGrant>() else { return Ok(()) };
        if authority.contains('*') {
            return Ok(());
        }
        let Ok(url) = url::Url::parse(&text) else { return Ok(()) };
        let Some(host) = url.host_str() else { return Ok(()) };
        let host = host.strip_suffix('.').unwrap_or(host);
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let Ok(request) = HttpTarget::parse("GET", Scheme::Https, &format!("{host}{port}"), url.path()) else { return Ok(()) };
        let elsewhere = HttpTarget::parse("GET", Scheme::Https, "elsewhere.example", url.path()).unwrap();
        if grant.to_string().ends_with("/*") {
            prop_assert!(grant.allows(&request), "{} allows {}", grant, request);
        }
        prop_assert!(!grant.allows(&elsewhere) || request.host == elsewhere.host, "{} allows {}", grant, elsewhere);
    }
}
