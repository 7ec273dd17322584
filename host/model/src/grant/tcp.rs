//! `db.example.org:5432`: one server that a step may connect to. `https://example.org/` stands for `example.org:443`.
//!
//! The host is always written out: a pattern would let a step look up any name below it, and names are a way to carry data
//! out. `127.0.0.1:*` is any port of one host, for a port that is known only when the step runs.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{Host, may_reach, serde_by_spelling};

/// Connections to one port of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpGrant {
    /// An IPv6 address that only carries an IPv4 address has become that.
    pub host: Host,
    /// Never 0; `None` is any.
    pub port: Option<u16>,
    /// Whether the host name may lead to a private address. An address that the grant itself names always may.
    pub private: bool,
}

impl TcpGrant {
    /// The grant for exactly this, for helps.
    pub fn new(host: Host, port: u16) -> Self {
        Self { host, port: Some(port), private: false }
    }

    /// Whether all connections that `inner` allows are allowed here. `private` does not count: it is for the workflow to
    /// say, not for the plugin.
    pub fn covers(&self, inner: &Self) -> bool {
        self.host == inner.host && (self.port.is_none() || self.port == inner.port)
    }

    /// Whether connections to this port of the host are allowed.
    pub fn allows_port(&self, port: u16) -> bool {
        self.port.is_none_or(|granted| granted == port)
    }

    /// Whether the step may go to an address that the granted host has led to.
    pub fn reaches(&self, ip: IpAddr) -> bool {
        let named = || match &self.host {
            Host::Ip(named) => *named == ip,
            Host::Name(name) => name == "localhost" && ip.is_loopback(),
        };
        may_reach(ip, named, || self.private)
    }
}

impl FromStr for TcpGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected a host and a port, such as `db.example.org:5432` or `[::1]:80`";
        let mut words = text.split_ascii_whitespace();
        let (Some(server), private, None) = (words.next(), words.next(), words.next()) else {
            return Err(format!("{EXPECTED}, found `{text}`"));
        };
        let private = match private {
            None => false,
            Some("private") => true,
            Some(word) => return Err(format!("expected nothing or `private` after the port, found `{word}`")),
        };
        let of_url = server_of_url(server);
        let server = of_url.as_deref().unwrap_or(server);
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.contains(']') => (host, port),
            _ => return Err(format!("{EXPECTED}, found `{text}`")),
        };
        if host.contains('*') {
            return Err("a `*` is not possible in the host: name one in each grant".into());
        }
        if host.contains(':') && !host.starts_with('[') {
            return Err(format!("{EXPECTED}, found `{text}`"));
        }
        let port = match port.parse() {
            _ if port == "*" => None,
            Ok(number) if number != 0 && port.bytes().all(|b| b.is_ascii_digit()) => Some(number),
            _ => return Err(format!("`{port}` is not a port")),
        };
        let host = match Host::parse(host)? {
            Host::Ip(ip) => Host::Ip(ip.to_canonical()),
            name => name,
        };
        Ok(Self { host, port, private })
    }
}

/// The host and port of a URL, which stands for them.
fn server_of_url(text: &str) -> Option<String> {
    let (rest, default) = match text.split_once("://")? {
        ("http", rest) => (rest, 80),
        ("https", rest) => (rest, 443),
        _ => return None,
    };
    let server = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_port = server.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    Some(if has_port { server.to_owned() } else { format!("{server}:{default}") })
}

impl fmt::Display for TcpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host)?,
            None => write!(f, "{}:*", self.host)?,
        }
        if self.private { f.write_str(" private") } else { Ok(()) }
    }
}

serde_by_spelling!(TcpGrant);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_where_its_grant_lets_it() {
        for (grant, ip, reached) in [
            ("db.example.org:5432", "8.8.8.8", true),
            ("db.example.org:5432", "10.0.0.1", false),
            ("db.example.org:5432", "127.0.0.1", false),
            ("db.example.org:5432 private", "10.0.0.1", true),
            ("db.example.org:5432 private", "169.254.169.254", false),
            ("localhost:5432", "127.0.0.1", true),
            ("localhost:5432", "::1", true),
            ("localhost:5432", "10.0.0.1", false),
            ("10.0.0.1:5432", "10.0.0.1", true),
            ("10.0.0.1:5432", "10.0.0.2", false),
            ("169.254.169.254:80", "169.254.169.254", true),
        ] {
            let parsed: TcpGrant = grant.parse().unwrap();
            assert_eq!(parsed.reaches(ip.parse().unwrap()), reached, "{grant} at {ip}");
        }
    }

    #[test]
    fn a_bad_spelling_is_explained() {
        for (text, expected) in [
            (
                "db.example.org",
                "expected a host and a port, such as `db.example.org:5432` or `[::1]:80`, found `db.example.org`",
            ),
            ("::1:80", "expected a host and a port, such as `db.example.org:5432` or `[::1]:80`, found `::1:80`"),
            ("*.example.org:80", "a `*` is not possible in the host: name one in each grant"),
            ("db.example.org:port", "`port` is not a port"),
            ("127.0.0.1:80 public", "expected nothing or `private` after the port, found `public`"),
        ] {
            assert_eq!(text.parse::<TcpGrant>().unwrap_err(), expected);
        }
    }
}
