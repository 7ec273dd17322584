//! `https://api.example.com:8443`: scheme, host and port.

use std::fmt;
use std::str::FromStr;

use super::http::{split_port, write_port};
use super::{Host, HttpTarget, Scheme};

/// Where a request goes, without its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub scheme: Scheme,
    pub host: Host,
    pub port: u16,
}

impl HttpTarget {
    pub fn origin(&self) -> Origin {
        Origin { scheme: self.scheme, host: self.host.clone(), port: self.port }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, authority) = match text.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return Err(format!("`{text}` does not begin with `https://` or `http://`")),
        };
        if authority.contains(['/', '?', '#', '@', '*']) {
            return Err(format!("`{text}` is no origin: a scheme, one host and perhaps a port, and nothing else"));
        }
        let (host, port) = split_port(authority, scheme)?;
        Ok(Self { scheme, host: Host::parse(host)?, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        write_port(f, self.scheme, self.port)
    }
}
