//! `db.example.org:5432`: one server that a step may connect to.
//!
//! Host and port are always both written out. A host pattern would let a step look up any name below it, and names are a
//! way to carry data out; a port pattern would open everything else that runs on that machine. Who needs two servers
//! grants two.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{Host, may_reach, serde_by_spelling};

/// Connections to one port of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpGrant {
    /// An IPv6 address that only carries an IPv4 address has become that.
    pub host: Host,
    /// Never 0.
    pub port: u16,
    /// Whether the host name may lead to a private address. An address that the grant itself names always may.
    pub private: bool,
}

impl TcpGrant {
    /// The grant for exactly this, for helps.
    pub fn new(host: Host, port: u16) -> Self {
        Self { host, port, private: false }
    }

    /// Whether all connections that `inner` allows are allowed here. `private` does not count: it is for the workflow to
    /// say, not for the plugin.
    pub fn covers(&self, inner: &Self) -> bool {
        self.host == inner.host && self.port == inner.port
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
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.contains(']') => (host, port),
            _ => return Err(format!("{EXPECTED}, found `{text}`")),
        };
        if host.contains('*') || port.contains('*') {
            return Err("a `*` is not possible here: name one host and one port in each grant".into());
        }
        if host.contains(':') && !host.starts_with('[') {
            return Err(format!("{EXPECTED}, found `{text}`"));
        }
        let port = match port.parse() {
            Ok(number) if number != 0 && port.bytes().all(|b| b.is_ascii_digit()) => number,
            _ => return Err(format!("`{port}` is not a port")),
        };
        let host = match Host::parse(host)? {
            Host::Ip(ip) => Host::Ip(ip.to_canonical()),
            name => name,
        };
        Ok(Self { host, port, private })
    }
}

impl fmt::Display for TcpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)?;
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
            ("db.example.org:*", "a `*` is not possible here: name one host and one port in each grant"),
            ("db.example.org:port", "`port` is not a port"),
            ("127.0.0.1:80 public", "expected nothing or `private` after the port, found `public`"),
        ] {
            assert_eq!(text.parse::<TcpGrant>().unwrap_err(), expected);
        }
    }
}
