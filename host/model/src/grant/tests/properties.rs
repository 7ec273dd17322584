//! Random grants and requests: what covers what, against a slow look at single requests. How hosts are read is held against
//! another reader of URLs by the fuzz target `host_pattern`.

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
        .prop_map(|(method, scheme, host, port, path)| {
            format!("{method} {scheme}://{host}{port}{path}").parse().unwrap()
        })
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
        for (scheme, port) in [(Scheme::Http, ""), (Scheme::Http, ":443"), (Scheme::Https, ""), (Scheme::Https, ":80")]
        {
            for port in [port, ":8080"] {
                for path in
                    ["/", "/v1", "/v1/", "/v1/x", "/v1/xy", "/v1/z", "/v10", "/v1//x", "/v1/../x", "/v1/%2e%2e/x"]
                {
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
}
