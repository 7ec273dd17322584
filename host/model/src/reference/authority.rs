//! The server of a reference: `registry.example.org:5000`, in one spelling.

use std::fmt;
use std::net::IpAddr;

use crate::grant::Host;

/// A host, and a port if it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority {
    /// As [`Host`] displays it.
    host: String,
    port: Option<u16>,
    loopback: bool,
}

impl Authority {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const HOST: &str = "the server is no host name, with a port or without";
        let colon = match text.rfind(']') {
            Some(bracket) => text[bracket..].find(':').map(|at| bracket + at),
            None => text.find(':'),
        };
        let (host, port) = match colon {
            None => (text, None),
            Some(colon) => {
                let digits = &text[colon + 1..];
                let port = digits.parse().ok().filter(|port| *port != 0 && digits.bytes().all(|b| b.is_ascii_digit()));
                (&text[..colon], Some(port.ok_or("the port of the server is no number from 1 to 65535")?))
            }
        };
        let host = Host::parse(host).map_err(|_| HOST)?;
        let loopback = match &host {
            Host::Name(name) => name == "localhost",
            Host::Ip(IpAddr::V4(ip)) => ip.is_loopback(),
            Host::Ip(IpAddr::V6(ip)) => ip.is_loopback(),
        };
        Ok(Self { host: host.to_string(), port, loopback })
    }

    /// Without the port; an IPv6 address has its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is this machine, by name or address. Only there is plain HTTP spoken.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}
