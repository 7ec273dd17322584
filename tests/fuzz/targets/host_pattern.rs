//! What stands in a grant or a request leads to the host that a reader of URLs has for the same text, or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_model::grant::{Host, HttpGrant, HttpTarget, Scheme};

fuzz_target!(|text: &str| {
    let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let Ok(target) = HttpTarget::parse("GET", Scheme::Https, authority, path) else { return };
    let shown = target.to_string();
    // A name in `xn--` that decodes to nothing is taken here; nobody can send a request to it.
    let Ok(url) = url::Url::parse(&format!("https://{text}")) else {
        assert!(authority.to_ascii_lowercase().contains("xn--"), "`{authority}` is no host to others");
        return;
    };
    let host = match url.host() {
        Some(url::Host::Domain(name)) => Host::Name(name.strip_suffix('.').unwrap_or(name).to_owned()),
        Some(url::Host::Ipv4(ip)) => Host::Ip(ip.into()),
        Some(url::Host::Ipv6(ip)) => Host::Ip(ip.into()),
        None => panic!("`{authority}` has no host to others"),
    };
    assert_eq!(host, target.host, "`{authority}`");
    assert_eq!(url.port_or_known_default(), Some(target.port), "`{authority}`");
    let origin = format!("GET https://{}:{}/*", target.host, target.port);
    let grant: HttpGrant = origin.parse().unwrap_or_else(|reason| panic!("`{origin}`: {reason}"));
    assert!(grant.allows(&target), "`{origin}` does not allow `{shown}`");
    if let Ok(exactly) = shown.parse::<HttpGrant>() {
        assert!(grant.covers(&exactly), "`{origin}` does not cover `{shown}`");
    }
});
