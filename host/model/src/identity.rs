//! Names that issuers of identities vouch for: somebody's e-mail address, the workflow that built something.

use std::fmt;

/// One identity, or all that begin the same: `https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/v*`.
///
/// A `*` stands at the end only, behind a whole part of an address or behind the `@` of a Git reference, so that what it
/// stands for is never somebody with a similar name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityPattern {
    /// Without the `*`.
    front: String,
    open: bool,
}

impl IdentityPattern {
    /// Reads the spelling in a policy. The error says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("names nobody".to_owned());
        }
        if text.chars().any(|char| char.is_whitespace() || char.is_control()) {
            return Err("an identity has no white space".to_owned());
        }
        let Some(front) = text.strip_suffix('*') else {
            return match text.contains('*') {
                false => Ok(Self { front: text.to_owned(), open: false }),
                true => Err("a `*` stands at the end only".to_owned()),
            };
        };
        if front.contains('*') {
            return Err("a `*` stands at the end only".to_owned());
        }
        let path = front.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
        let Some(path) = path else {
            return Err("would be anybody; a `*` stands behind the path of an address".to_owned());
        };
        match path.contains("@refs/") || path.len() > 1 && path.ends_with('/') {
            true => Ok(Self { front: front.to_owned(), open: true }),
            false => {
                Err("could be somebody with a similar name; a `*` stands behind a `/`, or behind `@refs/`".to_owned())
            }
        }
    }

    /// Whether it means this identity.
    pub fn covers(&self, identity: &str) -> bool {
        if self.open { identity.starts_with(&self.front) } else { identity == self.front }
    }
}

impl fmt::Display for IdentityPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.front, if self.open { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASE: &str = "https://github.com/acme/greet/.github/workflows/release.yaml@refs/";

    #[test]
    fn it_means_one_or_all_that_begin_the_same() {
        for (pattern, identity, covered) in [
            ("me@example.org", "me@example.org", true),
            ("me@example.org", "me@example.org.evil.example", false),
            ("me@example.org", "not-me@example.org", false),
            ("me@example.org", "Me@example.org", false),
            (&format!("{RELEASE}heads/main"), &format!("{RELEASE}heads/main"), true),
            (&format!("{RELEASE}heads/main"), &format!("{RELEASE}heads/main2"), false),
            (&format!("{RELEASE}tags/v*"), &format!("{RELEASE}tags/v1.2"), true),
            (&format!("{RELEASE}tags/v*"), &format!("{RELEASE}heads/v1.2"), false),
            (&format!("{RELEASE}tags/v*"), &format!("x{RELEASE}tags/v1.2"), false),
            ("https://github.com/acme/*", &format!("{RELEASE}heads/main"), true),
            ("https://github.com/acme/*", "https://github.com/acme-evil/x", false),
            ("https://github.com/acme/*", "http://github.com/acme/x", false),
        ] {
            let read = IdentityPattern::parse(pattern).unwrap();
            assert_eq!(read.covers(identity), covered, "{pattern}: {identity}");
            assert_eq!(read.to_string(), pattern);
        }
    }

    #[test]
    fn what_could_be_somebody_else_is_not_read() {
        for pattern in [
            "",
            " ",
            "*",
            "*@example.org",
            "me@*",
            "me@example.org*",
            "https://*",
            "https://github.com*",
            "https://github.com/*",
            "https://github.com//*",
            "https://github.com/acme*",
            "https://github.com/acme/greet*",
            "https://github.com/*/greet/",
            "https://github.com/acme/**",
            "https://github.com/acme/\u{7}*",
            "me @example.org",
        ] {
            assert!(IdentityPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
