//! `oci://registry.example.org:5000/tools/check:1.2@sha256:...`

use std::fmt;

use super::Authority;
use crate::digest::Digest;

/// An artifact of a container registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciRef {
    pub registry: Authority,
    /// `tools/check`
    pub repository: String,
    pub tag: Option<String>,
    /// Of the manifest.
    pub digest: Option<Digest>,
}

/// What a reference with neither tag nor digest means.
const DEFAULT_TAG: &str = "latest";

const MAX_REPOSITORY: usize = 255;
const MAX_TAG: usize = 128;

impl OciRef {
    /// Reads what stands behind `oci://`.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, digest) = match text.split_once('@') {
            None => (text, None),
            Some((name, digest)) => {
                (name, Some(digest.parse().map_err(|_| "after `@` comes `sha256:` and 64 lowercase hex digits")?))
            }
        };
        let (registry, rest) = name
            .split_once('/')
            .ok_or("expected a registry and a repository: `oci://registry.example.org/tools/check`")?;
        let (repository, tag) = match rest.split_once(':') {
            None => (rest, None),
            Some((repository, tag)) => (repository, Some(tag)),
        };
        if repository.len() > MAX_REPOSITORY || !repository.split('/').all(is_component) {
            return Err("a repository has lowercase letters, digits, and `.`, `_`, `-` or `/` between them");
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err("a tag has letters, digits, `_`, `.` and `-`, at most 128");
        }
        let registry = Authority::parse(registry)?;
        Ok(Self { registry, repository: repository.to_owned(), tag: tag.map(str::to_owned), digest })
    }

    /// What is asked for while no digest is known.
    pub fn tag_or_default(&self) -> &str {
        self.tag.as_deref().unwrap_or(DEFAULT_TAG)
    }
}

fn is_component(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = text.as_bytes();
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(b);
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner) && !text.contains("..")
}

fn is_tag(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_TAG
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl fmt::Display for OciRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}
