//! `GET https://api.example.com/v1/*`: method, scheme, host, port and path of HTTP requests. `POST secret:WEBHOOK`: the
//! one URL that is the value of a secret, which only the host knows.
//!
//! Only one spelling of a host is accepted on either side, so that a request cannot mean another host than the grant:
//! lowercase ASCII without a trailing dot, IPv4 in four decimal parts, IPv6 in brackets.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::name::is_variable_name;
use super::serde_by_spelling;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// A host in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    Name(String),
    Ip(IpAddr),
}

impl Host {
    /// Reads a host of a URL. Refuses what different readers could read differently.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return match inner.parse() {
                Ok(ip) => Ok(Self::Ip(IpAddr::V6(ip))),
                Err(_) => Err(format!("`{text}` is not an IPv6 address")),
            };
        }
        let name = text.to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let valid_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if name.len() > 253 || !name.split('.').all(valid_label) {
            return Err(format!("`{text}` is not a host name; write international names in their `xn--` form"));
        }
        // A last label that is a number makes URL readers take the whole for an IPv4 address, in odd bases too.
        let last = name.rsplit('.').next().unwrap_or(name);
        let numeric = last.bytes().all(|b| b.is_ascii_digit())
            || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if numeric {
            return match name.parse() {
                Ok(ip) => Ok(Self::Ip(IpAddr::V4(ip))),
                Err(_) => Err(format!("`{text}` is not an IPv4 address in its usual form")),
            };
        }
        Ok(Self::Name(name.to_owned()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// Where one request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTarget {
    pub method: String,
    pub scheme: Scheme,
    pub host: Host,
    pub port: u16,
    /// Without the query.
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Exact(Host),
    /// `*.example.com`: any number of labels in front, at least one.
    Below(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PathPattern {
    Any,
    Exact(String),
    /// Starts with this.
    Prefix(String),
}

/// Requests that a step may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpGrant {
    /// `None` stands for `*`.
    method: Option<String>,
    place: Place,
    /// Whether a host name may lead to a private address. An address that the grant itself names always may.
    pub private: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Url(UrlPattern),
    /// Exactly the URL that is the value of this secret.
    Secret(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct UrlPattern {
    scheme: Scheme,
    host: HostPattern,
    port: u16,
    path: PathPattern,
}

/// Whether a path means the same to every server: no dot segments, no encoded separators, no empty segments.
fn is_plain_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    path.starts_with('/')
        && !path.contains(['\\', '#', '?'])
        && !path.contains("//")
        && !path.split('/').any(|part| part == "." || part == "..")
        && !["%2e", "%2f", "%5c", "%00"].iter().any(|encoded| lower.contains(encoded))
}

impl HttpGrant {
    /// The same without private addresses.
    #[must_use]
    pub fn public(&self) -> Self {
        Self { private: false, ..self.clone() }
    }

    /// Of the URL in a secret nobody knows the port before the run; it is taken for that of `https`.
    pub fn port(&self) -> u16 {
        match &self.place {
            Place::Url(url) => url.port,
            Place::Secret(_) => Scheme::Https.default_port(),
        }
    }

    /// Whether no name has to be looked up to get there.
    pub fn names_an_address(&self) -> bool {
        matches!(&self.place, Place::Url(UrlPattern { host: HostPattern::Exact(Host::Ip(_)), .. }))
    }

    /// Whether this request may be sent. Addresses are checked after the name is resolved.
    pub fn allows(&self, target: &HttpTarget) -> bool {
        let Place::Url(url) = &self.place else { return false };
        self.has_method(&target.method)
            && url.scheme == target.scheme
            && url.port == target.port
            && url.host.covers(&HostPattern::Exact(target.host.clone()))
            && match &url.path {
                PathPattern::Any => true,
                PathPattern::Exact(path) => *path == target.path,
                PathPattern::Prefix(prefix) => is_plain_path(&target.path) && target.path.starts_with(prefix),
            }
    }

    /// Whether a request may be sent to the URL that is the value of this secret, whatever it is.
    pub fn allows_url_in(&self, secret: &str, method: &str) -> bool {
        self.secret() == Some(secret) && self.has_method(method)
    }

    /// The secret whose value is the only URL that the grant allows, if it is such a grant.
    pub fn secret(&self) -> Option<&str> {
        match &self.place {
            Place::Secret(name) => Some(name),
            Place::Url(_) => None,
        }
    }

    fn has_method(&self, method: &str) -> bool {
        self.method.as_ref().is_none_or(|own| own == method)
    }

    /// Whether the grant itself names this address: as a literal, or as `localhost` for loopback. What stands in a secret
    /// is not named: nobody who reads the plan can see it.
    pub fn names_address(&self, ip: IpAddr) -> bool {
        let Place::Url(url) = &self.place else { return false };
        match &url.host {
            HostPattern::Exact(Host::Ip(named)) => *named == ip,
            HostPattern::Exact(Host::Name(name)) => name == "localhost" && ip.is_loopback(),
            HostPattern::Below(_) => false,
        }
    }

    /// Whether all requests that `inner` allows are allowed here. `private` does not count: it is for the workflow to
    /// say, not for the plugin.
    pub fn covers(&self, inner: &Self) -> bool {
        let method = self.method.is_none() || self.method == inner.method;
        method
            && match (&self.place, &inner.place) {
                (Place::Url(outer), Place::Url(inner)) => outer.covers(inner),
                (Place::Secret(outer), Place::Secret(inner)) => outer == inner,
                _ => false,
            }
    }

    /// The narrowest grant that allows a request, for helps: its origin.
    pub fn for_origin(target: &HttpTarget) -> Self {
        let url = UrlPattern {
            scheme: target.scheme,
            host: HostPattern::Exact(target.host.clone()),
            port: target.port,
            path: PathPattern::Any,
        };
        Self { method: Some(target.method.clone()), place: Place::Url(url), private: false }
    }

    /// The grant for requests to the URL that is the value of a secret, for helps.
    pub fn for_url_in(secret: &str, method: &str) -> Self {
        Self { method: Some(method.to_owned()), place: Place::Secret(secret.to_owned()), private: false }
    }
}

impl UrlPattern {
    fn covers(&self, inner: &Self) -> bool {
        let path = match (&self.path, &inner.path) {
            (PathPattern::Any, _) => true,
            (PathPattern::Exact(outer), PathPattern::Exact(inner)) => outer == inner,
            (PathPattern::Prefix(outer), PathPattern::Prefix(inner)) => inner.starts_with(outer),
            (PathPattern::Prefix(outer), PathPattern::Exact(inner)) => is_plain_path(inner) && inner.starts_with(outer),
            _ => false,
        };
        path && self.scheme == inner.scheme && self.port == inner.port && self.host.covers(&inner.host)
    }
}

impl HostPattern {
    fn covers(&self, inner: &Self) -> bool {
        match (self, inner) {
            (Self::Exact(outer), Self::Exact(inner)) => outer == inner,
            (Self::Below(outer), Self::Exact(Host::Name(inner))) => is_below(inner, outer),
            (Self::Below(outer), Self::Below(inner)) => inner == outer || is_below(inner, outer),
            _ => false,
        }
    }
}

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|front| front.ends_with('.'))
}

impl FromStr for HttpGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected a method and a URL, such as `GET https://api.example.com/v1/*`";
        let mut words = text.split_ascii_whitespace();
        let (Some(method), Some(url), private, None) = (words.next(), words.next(), words.next(), words.next()) else {
            return Err(format!("{EXPECTED}, found `{text}`"));
        };
        let private = match private {
            None => false,
            Some("private") => true,
            Some(word) => return Err(format!("expected nothing or `private` after the URL, found `{word}`")),
        };
        let method = match method {
            "*" => None,
            method if method.bytes().all(|b| b.is_ascii_uppercase()) => Some(method.to_owned()),
            _ => return Err(format!("{EXPECTED}, found `{text}`")),
        };
        if let Some(name) = url.strip_prefix("secret:") {
            if !is_variable_name(name) {
                return Err(format!("`{name}` is not the name of a secret (letters, digits, `_`)"));
            }
            return Ok(Self { method, place: Place::Secret(name.to_owned()), private });
        }
        let (scheme, rest) = match url.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return Err(format!("`{url}` does not begin with `https://` or `http://`")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err("a URL in a grant has no user name or password".into());
        }
        let (host, port) = split_port(authority, scheme)?;
        let host = match host.strip_prefix("*.") {
            Some(below) => match Host::parse(below)? {
                Host::Name(name) if name.contains('.') => HostPattern::Below(name),
                _ => return Err(format!("`{host}` is too wide; name at least two labels after `*.`")),
            },
            None => HostPattern::Exact(Host::parse(host)?),
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = match path.strip_suffix('*') {
            _ if path.is_empty() || path == "/*" => PathPattern::Any,
            Some(prefix) if prefix.contains('*') => return Err("a path has at most one `*`, at its end".into()),
            Some(prefix) if is_plain_path(prefix) => PathPattern::Prefix(prefix.to_owned()),
            None if path.contains('*') => return Err("a path has at most one `*`, at its end".into()),
            None if is_plain_path(path) => PathPattern::Exact(path.to_owned()),
            _ => return Err(format!("the path `{path}` could mean different things to different servers")),
        };
        Ok(Self { method, place: Place::Url(UrlPattern { scheme, host, port, path }), private })
    }
}

/// Splits `host:port`; the port defaults to the scheme's.
pub(super) fn split_port(authority: &str, scheme: Scheme) -> Result<(&str, u16), String> {
    let colon = match authority.rfind(']') {
        Some(bracket) => authority[bracket..].find(':').map(|i| bracket + i),
        None => authority.find(':'),
    };
    match colon {
        None => Ok((authority, scheme.default_port())),
        Some(colon) => match authority[colon + 1..].parse() {
            // Numbers may have a sign, and ports have none.
            Ok(port) if port != 0 && !authority[colon + 1..].starts_with('+') => Ok((&authority[..colon], port)),
            _ => Err(format!("`{}` is not a port", &authority[colon + 1..])),
        },
    }
}

impl HttpTarget {
    /// Reads where a request goes.
    pub fn parse(method: &str, scheme: Scheme, authority: &str, path_and_query: &str) -> Result<Self, String> {
        if authority.contains('@') {
            return Err("a URL with a user name or password is not sent".into());
        }
        let (host, port) = split_port(authority, scheme)?;
        let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
        let path = if path.is_empty() { "/" } else { path };
        if !path.starts_with('/') {
            return Err(format!("the path `{path}` does not begin with `/`"));
        }
        Ok(Self { method: method.to_owned(), scheme, host: Host::parse(host)?, port, path: path.to_owned() })
    }
}

pub(super) fn write_port(f: &mut fmt::Formatter<'_>, scheme: Scheme, port: u16) -> fmt::Result {
    if port == scheme.default_port() { Ok(()) } else { write!(f, ":{port}") }
}

impl fmt::Display for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}://{}", self.method, self.scheme.as_str(), self.host)?;
        write_port(f, self.scheme, self.port)?;
        f.write_str(&self.path)
    }
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.method.as_deref().unwrap_or("*"))?;
        match &self.place {
            Place::Url(url) => url.fmt(f)?,
            Place::Secret(name) => write!(f, "secret:{name}")?,
        }
        if self.private { f.write_str(" private") } else { Ok(()) }
    }
}

impl fmt::Display for UrlPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        match &self.host {
            HostPattern::Exact(host) => host.fmt(f)?,
            HostPattern::Below(name) => write!(f, "*.{name}")?,
        }
        write_port(f, self.scheme, self.port)?;
        match &self.path {
            PathPattern::Any => f.write_str("/*"),
            PathPattern::Exact(path) => f.write_str(path),
            PathPattern::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

serde_by_spelling!(HttpGrant);
