//! `WWW-Authenticate`: how a registry wants to be asked.

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Uri};

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    Basic,
    /// A token from this address, for this service.
    Bearer {
        realm: String,
        service: Option<String>,
    },
}

/// The first challenge that is known; a token goes before a password.
pub fn read(headers: &HeaderMap) -> Option<Challenge> {
    let texts: Vec<&str> =
        headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value: &HeaderValue| value.to_str().ok()).collect();
    let bearer = texts.iter().find_map(|text| {
        let parameters = scheme(text, "bearer")?;
        let value = |name: &str| parameter(parameters, name);
        Some(Challenge::Bearer { realm: value("realm")?, service: value("service") })
    });
    bearer.or_else(|| texts.iter().find_map(|text| scheme(text, "basic")).map(|_| Challenge::Basic))
}

/// What follows the name of a scheme.
fn scheme<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let text = text.trim_start();
    let (front, rest) = text.split_at_checked(name.len())?;
    (front.eq_ignore_ascii_case(name) && (rest.is_empty() || rest.starts_with(' '))).then_some(rest)
}

/// The value of `name="value"`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', ',', '\t']);
        let (key, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = after;
    }
}

/// Whether credentials for a registry may be shown to the server that it names for tokens. They may be shown to the registry
/// itself, so: to its own host, to one above it, and to one beside it below a name that is hardly a public suffix.
pub fn is_of_house(registry: &str, realm: &Uri) -> bool {
    let Some(realm) = realm.host() else { return false };
    let (registry, realm) = (registry.to_ascii_lowercase(), realm.to_ascii_lowercase());
    if registry == realm {
        return true;
    }
    let is_address =
        |host: &str| host.starts_with('[') || host.rsplit('.').next().is_some_and(|last| last.parse::<u32>().is_ok());
    if is_address(&registry) || is_address(&realm) {
        return false;
    }
    let Some((_, parent)) = registry.split_once('.') else { return false };
    // `co.uk`, `com.au`: everybody's.
    let own = parent.matches('.').count() >= 2 || parent.split('.').next().is_some_and(|label| label.len() > 3);
    let beside = || realm.split_once('.').is_some_and(|(_, above)| above == parent);
    own && parent.contains('.') && (realm == parent || beside())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for line in text.lines() {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(line).unwrap());
        }
        read(&headers)
    }

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer { realm: realm.into(), service: service.map(str::to_owned) })
        };
        assert_eq!(
            of(
                "Bearer realm=\"https://auth.example.org/token\",service=\"registry, main\",scope=\"repository:x:pull\""
            ),
            bearer("https://auth.example.org/token", Some("registry, main"))
        );
        assert_eq!(of("Basic realm=\"x\"\nbearer Realm=https://a/t"), bearer("https://a/t", None));
        assert_eq!(of("BASIC realm=x"), Some(Challenge::Basic));
        for text in ["", "Negotiate", "Bearer", "Bearer realm", "Bearer realm=\"x", "Basicx"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn credentials_stay_in_the_house() {
        for (registry, realm, expected) in [
            ("ghcr.io", "https://ghcr.io/token", true),
            ("127.0.0.1", "http://127.0.0.1:5001/token", true),
            ("registry-1.docker.io", "https://auth.docker.io/token", true),
            ("registry.gitlab.com", "https://gitlab.com/jwt/auth", true),
            ("registry.example.org", "https://gitlab.example.org/jwt", true),
            ("registry.example.org", "https://example.net/jwt", false),
            ("registry.example.org", "https://evil-example.org/jwt", false),
            ("registry.co.uk", "https://evil.co.uk/t", false),
            ("registry.co.uk", "https://co.uk/t", false),
            ("ghcr.io", "https://evil.io/t", false),
            ("ghcr.io", "https://io/t", false),
            ("localhost", "http://127.0.0.1/t", false),
            ("10.0.0.1", "http://11.0.0.1/t", false),
        ] {
            assert_eq!(is_of_house(registry, &realm.parse().unwrap()), expected, "{registry} {realm}");
        }
    }
}
