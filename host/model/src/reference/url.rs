//! `https://example.org/plugins/check.wasm@sha256:...`

use std::fmt;

use super::Authority;
use crate::digest::Digest;

/// A file of a web server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UrlRef {
    /// As it is asked for; plain `http` only to this machine.
    pub url: String,
    /// Of the file.
    pub digest: Option<Digest>,
}

const MAX_URL: usize = 2048;

impl UrlRef {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (url, digest) = match text.rsplit_once("@sha256:") {
            None => (text, None),
            Some((url, hex)) => {
                let digest = format!("sha256:{hex}").parse();
                (url, Some(digest.map_err(|_| "after `@sha256:` come 64 lowercase hex digits")?))
            }
        };
        if url.len() > MAX_URL || !url.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("a URL has at most 2048 visible ASCII characters");
        }
        if url.contains('#') {
            return Err("a URL here has no `#`; its digest comes last, as `@sha256:...`");
        }
        let (secure, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://").unwrap_or_default()),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("a URL here has no user name or password");
        }
        let server = Authority::parse(authority)?;
        if !path.starts_with('/') {
            return Err("a URL of a plugin has a path behind its server");
        }
        if !secure && !server.is_loopback() {
            return Err("plain `http://` goes to this machine only; use `https://`");
        }
        let scheme = if secure { "https" } else { "http" };
        Ok(Self { url: format!("{scheme}://{server}{path}"), digest })
    }
}

impl fmt::Display for UrlRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        match self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}
