//! How a step names its plugin.

mod authority;
mod oci;
mod url;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Digest;

pub use authority::Authority;
pub use oci::OciRef;
pub use url::UrlRef;

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PluginRef {
    /// A first-party plugin inside the binary: `lint`.
    Builtin(String),
    /// A component file, relative to the workspace or absolute: `./vendor/x.wasm`.
    Path(String),
    /// An artifact of a container registry: `oci://registry.example.org/tools/check:1.2@sha256:...`.
    Oci(OciRef),
    /// A file of a web server: `https://example.org/check.wasm@sha256:...`.
    Url(UrlRef),
}

impl PluginRef {
    /// Reads a reference. A scheme says that it is from outside; a path is what has a `/` or ends in `.wasm`; the rest is a
    /// built-in name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("a plugin has a name or a path");
        }
        if let Some(rest) = text.strip_prefix("oci://") {
            return OciRef::parse(rest).map(Self::Oci);
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            return UrlRef::parse(text).map(Self::Url);
        }
        if text.contains("://") {
            return Err("plugins are built-in names, paths of `.wasm` files, `oci://` or `https://`");
        }
        if text.contains('/') || text.ends_with(".wasm") {
            return Ok(Self::Path(text.to_owned()));
        }
        let valid = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if valid {
            Ok(Self::Builtin(text.to_owned()))
        } else {
            Err("a plugin name has lowercase letters, digits and `-`")
        }
    }

    /// Whether its bytes come from another machine.
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Oci(_) | Self::Url(_))
    }

    /// The digest that the reference itself names: of the manifest in a registry, of the file on a web server.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::Oci(reference) => reference.digest,
            Self::Url(reference) => reference.digest,
            Self::Builtin(_) | Self::Path(_) => None,
        }
    }

    /// Whether both are versions of one thing: they differ in tag and digest alone.
    pub fn is_version_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Oci(a), Self::Oci(b)) => (&a.registry, &a.repository) == (&b.registry, &b.repository),
            (Self::Url(a), Self::Url(b)) => a.url == b.url,
            _ => self.is_same(other),
        }
    }

    /// Whether both name the same, however a path is spelled.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(a), Self::Path(b)) => a == b || parts(a).eq(parts(b)),
            _ => self == other,
        }
    }
}

/// The parts of a path that count; an absolute one begins with an empty part.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    let root = path.starts_with('/').then_some("");
    root.into_iter().chain(path.split('/').filter(|part| !part.is_empty() && *part != "."))
}

impl fmt::Display for PluginRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PluginRef::Builtin(name) => f.write_str(name),
            PluginRef::Path(path) => f.write_str(path),
            PluginRef::Oci(reference) => reference.fmt(f),
            PluginRef::Url(reference) => reference.fmt(f),
        }
    }
}

impl Serialize for PluginRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PluginRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
