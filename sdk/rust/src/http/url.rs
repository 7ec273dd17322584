//! The parts of an `http` or `https` URL. The host checks the request by itself; this only takes the text apart.

use super::Error;

/// An `http` or `https` URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    pub secure: bool,
    /// Host, and port when it is given.
    pub authority: String,
    /// Starts with `/`; the fragment is left out.
    pub path_and_query: String,
}

impl Url {
    /// Takes an absolute URL apart. Fails with [`Error::Invalid`] on another scheme, on a user name or password, and on
    /// characters that no URL has. The text of the error does not repeat the URL, which may be a secret.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |why: &str| Err(Error::Invalid(format!("the URL {why}")));
        let Some((scheme, rest)) = text.split_once("://") else {
            return invalid("does not start with `https://` or `http://`");
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return invalid("does not start with `https://` or `http://`"),
        };
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || b"\"<>\\^`{|}".contains(&byte)) {
            return invalid("has a character that must be percent-encoded");
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path_and_query) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return invalid("holds a user name or password; send an `authorization` header instead");
        }
        if authority.is_empty() || authority.starts_with(':') {
            return invalid("has no host");
        }
        let slash = if path_and_query.starts_with('/') { "" } else { "/" };
        Ok(Self { secure, authority: authority.to_owned(), path_and_query: format!("{slash}{path_and_query}") })
    }

    /// Scheme and authority: what may be shown when the path is a secret.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let cases = [
            ("https://a.example", "https://a.example", "/"),
            ("HTTP://a.example:8080/x/y?z=1#part", "http://a.example:8080", "/x/y?z=1"),
            ("https://a.example?q", "https://a.example", "/?q"),
            ("http://[::1]:80/", "http://[::1]:80", "/"),
        ];
        for (text, origin, path) in cases {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.origin().as_str(), url.path_and_query.as_str()), (origin, path), "{text}");
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused_without_repeating_it() {
        let cases = [
            ("ftp://a.example/x", "the URL does not start with `https://` or `http://`"),
            ("/token", "the URL does not start with `https://` or `http://`"),
            ("https:///token", "the URL has no host"),
            ("https://:80/token", "the URL has no host"),
            ("https://u:p@a.example/", "the URL holds a user name or password; send an `authorization` header instead"),
            ("https://a.example/a b", "the URL has a character that must be percent-encoded"),
            ("https://a.example/a\nb", "the URL has a character that must be percent-encoded"),
        ];
        for (text, message) in cases {
            assert_eq!(Url::parse(text), Err(Error::Invalid(message.to_owned())), "{text}");
        }
    }
}
