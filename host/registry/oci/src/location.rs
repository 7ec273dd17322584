//! Where an answer sends us next.

use http::{HeaderMap, Uri, header};

/// The target of `Location`, seen from `base`.
pub fn target(headers: &HeaderMap, base: &Uri) -> Result<Uri, String> {
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let Some(location) = location else { return Err("the answer says nowhere where to go".into()) };
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, authority) = (base.scheme_str().unwrap_or("https"), base.authority().map_or("", |a| a.as_str()));
    let whole = if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else {
        return Err("the answer sends us to a place relative to nothing".into());
    };
    let target: Uri = whole.parse().map_err(|_| "the answer sends us to something that is no URL".to_owned())?;
    if target.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("the answer sends us to a URL with a user name".into());
    }
    match (base.scheme_str(), target.scheme_str()) {
        (_, Some("https")) => Ok(target),
        // Plain HTTP is spoken on this machine only, and stays there.
        (Some("http"), Some("http")) if is_same_host(base, &target) => Ok(target),
        _ => Err("the answer leads from `https` to something else".into()),
    }
}

/// Whether what may be told to one may be told to the other.
pub fn is_same_server(a: &Uri, b: &Uri) -> bool {
    a.scheme() == b.scheme() && is_same_host(a, b) && port(a) == port(b)
}

fn is_same_host(a: &Uri, b: &Uri) -> bool {
    matches!((a.host(), b.host()), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 })
}

/// A value in a query.
pub fn encoded(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            result.push(char::from(byte));
        } else {
            result.push_str(&format!("%{byte:02X}"));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_seen_from_where_they_were_said() {
        let go = |base: &str, location: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, location.parse().unwrap());
            target(&headers, &base.parse().unwrap()).map(|uri| uri.to_string()).ok()
        };
        let base = "https://r.example.org/v2/x";
        assert_eq!(go(base, "/v2/y?z=1#f").as_deref(), Some("https://r.example.org/v2/y?z=1"));
        assert_eq!(go(base, "//cdn.example.org/y").as_deref(), Some("https://cdn.example.org/y"));
        assert_eq!(go(base, "https://cdn.example.org/y").as_deref(), Some("https://cdn.example.org/y"));
        for location in ["http://cdn.example.org/y", "y", "ftp://x/y", "https://a:b@c/", ""] {
            assert_eq!(go(base, location), None, "{location}");
        }
        assert_eq!(
            go("http://127.0.0.1:5000/x", "http://127.0.0.1:5001/y").as_deref(),
            Some("http://127.0.0.1:5001/y")
        );
        assert_eq!(go("http://127.0.0.1:5000/x", "http://10.0.0.1/y"), None);
    }

    #[test]
    fn servers_are_told_apart() {
        let same = |a: &str, b: &str| is_same_server(&a.parse().unwrap(), &b.parse().unwrap());
        assert!(same("https://a.org/x", "https://A.org:443/y"));
        assert!(!same("https://a.org/x", "https://a.org:8443/x"));
        assert!(!same("https://a.org/x", "http://a.org/x"));
        assert!(!same("https://a.org/x", "https://a.org.evil/x"));
    }
}
