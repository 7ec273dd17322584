//! Which plugins a rule means: `lint`, `./plugins/*`, `oci://ghcr.io/acme/*`, with a digest or a signer.

use std::fmt;

use sluice_model::grant::{Host, normalise_path};
use sluice_model::{Digest, PluginRef, Span};

use super::Signer;

/// A plugin that a step wants to use.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'c> {
    pub reference: &'c PluginRef,
    /// Of the component.
    pub digest: Digest,
}

/// Plugins that a policy speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginRule {
    pub span: Span,
    from: Pattern,
    pub digest: Option<Digest>,
    /// Who must have signed it.
    pub signer: Option<Signer>,
}

/// What a rule says of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    Yes,
    No,
    /// The plugin is named in a way that could lead there or elsewhere, such as `./plugins/../x.wasm`.
    Unclear,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// Inside the binary; `None` is any of them.
    Builtin(Option<String>),
    /// A file, or all files below a folder: the normalised path, absolute or in the workspace.
    Path { path: String, below: bool },
    /// Scheme and server in one spelling, and the path behind them.
    Outside { server: String, path: String, below: bool },
}

/// Where a reference leads, in one spelling.
enum Place {
    Builtin(String),
    Path(String),
    Outside { server: String, path: String },
    Unclear,
}

impl PluginRule {
    /// Reads what a rule says of the source of a plugin. The error says what was expected.
    pub fn parse(from: &str, span: Span) -> Result<Self, String> {
        Ok(Self { span, from: Pattern::parse(from)?, digest: None, signer: None })
    }

    /// Whether the plugin is one of these, as far as its reference and digest say.
    pub fn matches(&self, candidate: &Candidate<'_>) -> Match {
        let place = Place::of(candidate.reference);
        if self.digest.is_some_and(|digest| digest != candidate.digest) {
            return Match::No;
        }
        self.from.matches(&place)
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        let (front, below) = match text.strip_suffix("/*") {
            Some(front) => (front, true),
            None => (text, false),
        };
        if text == "*" {
            return Ok(Self::Builtin(None));
        }
        if front.contains('*') {
            return Err("a `*` stands for all that is below a folder, and only at the end: `./plugins/*`".into());
        }
        if front.contains("://") {
            let (server, path) = outside(front)?;
            if path.is_empty() && !below {
                return Err(format!("`{text}` names a server and no plugin; all of its plugins are `{text}/*`"));
            }
            if !below && path.contains(['@', ':']) {
                return Err("a rule has no tag or digest in its source; write `digest` beside it".into());
            }
            return Ok(Self::Outside { server, path, below });
        }
        if below || front.contains('/') || front.ends_with(".wasm") {
            let front = if front.is_empty() { "/" } else { front };
            let path = path(front).ok_or_else(|| format!("`{text}` could lead anywhere; write where it leads to"))?;
            return Ok(Self::Path { path, below });
        }
        match PluginRef::parse(front)? {
            PluginRef::Builtin(name) => Ok(Self::Builtin(Some(name))),
            _ => Err(format!("`{text}` is no name, path or address of a plugin")),
        }
    }

    fn matches(&self, place: &Place) -> Match {
        let below_or_same = |outer: &str, below: bool, inner: &str| match below {
            true => inner.strip_prefix(outer).is_some_and(|rest| outer.is_empty() || rest.starts_with('/')),
            false => inner == outer,
        };
        let matches = match (self, place) {
            (Self::Builtin(name), Place::Builtin(own)) => name.as_ref().is_none_or(|name| name == own),
            // The same file may have both kinds of path.
            (Self::Path { path, .. }, Place::Path(own)) if path.starts_with('/') != own.starts_with('/') => {
                return Match::Unclear;
            }
            (Self::Path { path, below }, Place::Path(_)) if path == "." || path == "/" => *below,
            (Self::Path { path, below }, Place::Path(own)) => below_or_same(path, *below, own),
            (Self::Outside { server, path, below }, Place::Outside { server: own_server, path: own }) => {
                server == own_server && below_or_same(path, *below, own)
            }
            (Self::Builtin(_), Place::Unclear) => false,
            (_, Place::Unclear) => return Match::Unclear,
            _ => false,
        };
        if matches { Match::Yes } else { Match::No }
    }
}

impl Place {
    fn of(reference: &PluginRef) -> Self {
        let text = reference.to_string();
        match reference {
            PluginRef::Builtin(name) => Self::Builtin(name.clone()),
            PluginRef::Path(file) if !file.contains("://") => path(file).map_or(Self::Unclear, Self::Path),
            _ => match outside(untagged(&text)) {
                Ok((server, path)) => Self::Outside { server, path },
                Err(_) => Self::Unclear,
            },
        }
    }
}

/// Without tag and digest: `oci://ghcr.io/acme/check`.
fn untagged(text: &str) -> &str {
    let text = text.split_once("@sha256:").map_or(text, |(front, _)| front);
    let slash = text.rfind('/').unwrap_or_default();
    match text[slash..].find(':') {
        Some(colon) if text.starts_with("oci://") => &text[..slash + colon],
        _ => text,
    }
}

/// A path in its one spelling, absolute or in the workspace; `None` if it could lead anywhere.
fn path(text: &str) -> Option<String> {
    match text.strip_prefix('/') {
        Some(rest) => match normalise_path(if rest.is_empty() { "." } else { rest }).ok()?.as_str() {
            "." => Some("/".to_owned()),
            path => Some(format!("/{path}")),
        },
        None => normalise_path(if text.is_empty() { "." } else { text }).ok(),
    }
}

/// Scheme and server in one spelling, and the path with a `/` before each part.
fn outside(text: &str) -> Result<(String, String), String> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let default_port = match scheme {
        "oci" | "https" => 443,
        "http" => 80,
        _ => return Err(format!("`{scheme}://` is no source of plugins; there are `oci://` and `https://`")),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("a source of plugins has no user name or password".into());
    }
    let colon = authority.rfind(':').filter(|colon| !authority[*colon..].contains(']'));
    let (host, port) = authority.split_at(colon.unwrap_or(authority.len()));
    let host = Host::parse(host)?;
    let port = match port.strip_prefix(':') {
        None => None,
        Some(digits) => match digits.parse::<u16>() {
            Ok(port) if port != 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(port),
            _ => return Err(format!("`{digits}` is not a port")),
        },
    };
    let port = port.filter(|port| *port != default_port).map(|port| format!(":{port}")).unwrap_or_default();
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '%', '?', '#']);
    if !path.is_empty() && !path.split('/').skip(1).all(plain) {
        return Err(format!("the path `{path}` could mean different things to different servers"));
    }
    Ok((format!("{scheme}://{host}{port}"), path.to_owned()))
}

impl fmt::Display for PluginRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.from.fmt(f)?;
        if let Some(digest) = self.digest {
            write!(f, " with the digest {digest}")?;
        }
        match &self.signer {
            Some(signer @ Signer::Key(_)) => write!(f, " signed by {signer}"),
            Some(signer @ Signer::Identity { .. }) => write!(f, " signed keyless by {signer}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |below: &bool| if *below { "/*" } else { "" };
        match self {
            Self::Builtin(name) => f.write_str(name.as_deref().unwrap_or("*")),
            Self::Path { path, below } if path == "/" => f.write_str(if *below { "/*" } else { "/" }),
            Self::Path { path, below } if path.starts_with('/') => write!(f, "{path}{}", end(below)),
            Self::Path { path, below } if path == "." => write!(f, ".{}", end(below)),
            Self::Path { path, below } => write!(f, "./{path}{}", end(below)),
            Self::Outside { server, path, below } => write!(f, "{server}{path}{}", end(below)),
        }
    }
}
