//! Capabilities narrowed to a step: parse, display, covers.
//!
//! The same decision code serves the plan and the call, so that the two cannot disagree.

mod address;
mod exec;
mod file;
mod http;
mod name;
pub mod narrow;
mod origin;
mod paths;
mod secret;
mod tcp;
mod toolchain;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use address::{AddressKind, address_kind, may_reach};
pub use exec::{ExecGrant, spellings as exec_spellings};
pub use file::{Access, FileGrant, normalise_path};
pub use http::{Host, HttpGrant, HttpTarget, Scheme};
pub use name::{ArtifactGrant, EnvGrant};
pub use origin::Origin;
pub use paths::{PathAccess, PathGrant};
pub use secret::SecretGrant;
pub use tcp::TcpGrant;
pub use toolchain::Toolchain;

/// Something outside the sandbox that the host can do for a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    Files,
    Http,
    Tcp,
    Exec,
    /// Of programs: what a language keeps outside of the workspace.
    Toolchain,
    /// Of programs: files outside of the workspace.
    Paths,
    Env,
    Secrets,
    Artifacts,
}

impl Capability {
    pub const ALL: [Capability; 9] = [
        Capability::Files,
        Capability::Http,
        Capability::Tcp,
        Capability::Exec,
        Capability::Toolchain,
        Capability::Paths,
        Capability::Env,
        Capability::Secrets,
        Capability::Artifacts,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Capability::Files => "files",
            Capability::Http => "http",
            Capability::Tcp => "tcp",
            Capability::Exec => "exec",
            Capability::Toolchain => "toolchain",
            Capability::Paths => "paths",
            Capability::Env => "env",
            Capability::Secrets => "secrets",
            Capability::Artifacts => "artifacts",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == text)
    }

    /// What a component with this capability could do, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Capability::Files => "read or write files of the workspace",
            Capability::Http => "send HTTP requests",
            Capability::Tcp => "make TCP connections",
            Capability::Exec => "run programs",
            Capability::Toolchain => "let its programs use the tools and caches of a language",
            Capability::Paths => "let its programs use files outside of the workspace",
            Capability::Env => "read environment variables",
            Capability::Secrets => "use secrets",
            Capability::Artifacts => "read or publish artifacts",
        }
    }

    /// The interface of `sluice:host` that stands for it, if it is not plain WASI.
    pub fn interface(self) -> Option<&'static str> {
        match self {
            Capability::Exec => Some("sluice:host/exec"),
            Capability::Secrets => Some("sluice:host/secrets"),
            Capability::Artifacts => Some("sluice:host/artifacts"),
            Capability::Files
            | Capability::Http
            | Capability::Tcp
            | Capability::Toolchain
            | Capability::Paths
            | Capability::Env => None,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Everything that one step may touch. The default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Grants {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileGrant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tcp: Vec<TcpGrant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exec: Vec<ExecGrant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub toolchain: Vec<Toolchain>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathGrant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvGrant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretGrant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<ArtifactGrant>,
}

/// One grant of any capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    File(FileGrant),
    Http(HttpGrant),
    Tcp(TcpGrant),
    Exec(ExecGrant),
    Toolchain(Toolchain),
    Path(PathGrant),
    Env(EnvGrant),
    Secret(SecretGrant),
    Artifact(ArtifactGrant),
}

impl Grant {
    /// Reads one grant in the spelling of workflows and manifests. The error says what was expected.
    pub fn parse(capability: Capability, text: &str) -> Result<Self, String> {
        Ok(match capability {
            Capability::Files => Self::File(text.parse()?),
            Capability::Http => Self::Http(text.parse()?),
            Capability::Tcp => Self::Tcp(text.parse()?),
            Capability::Exec => Self::Exec(text.parse()?),
            Capability::Toolchain => Self::Toolchain(text.parse()?),
            Capability::Paths => Self::Path(text.parse()?),
            Capability::Env => Self::Env(text.parse()?),
            Capability::Secrets => Self::Secret(text.parse()?),
            Capability::Artifacts => Self::Artifact(text.parse()?),
        })
    }
}

impl Grants {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Files => !self.files.is_empty(),
            Capability::Http => !self.http.is_empty(),
            Capability::Tcp => !self.tcp.is_empty(),
            Capability::Exec => !self.exec.is_empty(),
            Capability::Toolchain => !self.toolchain.is_empty(),
            Capability::Paths => !self.paths.is_empty(),
            Capability::Env => !self.env.is_empty(),
            Capability::Secrets => !self.secrets.is_empty(),
            Capability::Artifacts => !self.artifacts.is_empty(),
        }
    }

    pub fn add(&mut self, grant: Grant) {
        fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
            if !list.contains(&item) {
                list.push(item);
            }
        }
        match grant {
            Grant::File(grant) => push(&mut self.files, grant),
            Grant::Http(grant) => push(&mut self.http, grant),
            Grant::Tcp(grant) => push(&mut self.tcp, grant),
            Grant::Exec(grant) => push(&mut self.exec, grant),
            Grant::Toolchain(grant) => push(&mut self.toolchain, grant),
            Grant::Path(grant) => push(&mut self.paths, grant),
            Grant::Env(grant) => push(&mut self.env, grant),
            Grant::Secret(grant) => push(&mut self.secrets, grant),
            Grant::Artifact(grant) => push(&mut self.artifacts, grant),
        }
    }

    pub fn remove(&mut self, capability: Capability) {
        match capability {
            Capability::Files => self.files.clear(),
            Capability::Http => self.http.clear(),
            Capability::Tcp => self.tcp.clear(),
            Capability::Exec => self.exec.clear(),
            Capability::Toolchain => self.toolchain.clear(),
            Capability::Paths => self.paths.clear(),
            Capability::Env => self.env.clear(),
            Capability::Secrets => self.secrets.clear(),
            Capability::Artifacts => self.artifacts.clear(),
        }
    }

    /// Whether all that `grant` allows is allowed here.
    pub fn covers(&self, grant: &Grant) -> bool {
        match grant {
            Grant::File(inner) => self.files.iter().any(|outer| outer.covers(inner)),
            Grant::Http(inner) => self.http.iter().any(|outer| outer.covers(inner)),
            Grant::Tcp(inner) => self.tcp.iter().any(|outer| outer.covers(inner)),
            Grant::Exec(inner) => self.exec.iter().any(|outer| outer.covers(inner)),
            Grant::Toolchain(inner) => self.toolchain.contains(inner),
            Grant::Path(inner) => self.paths.iter().any(|outer| outer.covers(inner)),
            Grant::Env(inner) => self.env.iter().any(|outer| outer.covers(inner)),
            Grant::Secret(inner) => self.secrets.iter().any(|outer| outer.covers(inner)),
            Grant::Artifact(inner) => self.artifacts.contains(inner),
        }
    }

    /// What both allow: each entry of either side that the other side covers.
    pub fn intersect(&self, other: &Self) -> Self {
        let mut both = Self::default();
        for grant in self.iter().filter(|grant| other.covers(grant)) {
            both.add(grant);
        }
        for grant in other.iter().filter(|grant| self.covers(grant)) {
            both.add(grant);
        }
        both
    }

    /// Every single grant, in the order of [`Capability::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = Grant> + '_ {
        let files = self.files.iter().cloned().map(Grant::File);
        let http = self.http.iter().cloned().map(Grant::Http);
        let tcp = self.tcp.iter().cloned().map(Grant::Tcp);
        let exec = self.exec.iter().cloned().map(Grant::Exec);
        let toolchain = self.toolchain.iter().copied().map(Grant::Toolchain);
        let paths = self.paths.iter().cloned().map(Grant::Path);
        let env = self.env.iter().cloned().map(Grant::Env);
        let secrets = self.secrets.iter().cloned().map(Grant::Secret);
        let artifacts = self.artifacts.iter().cloned().map(Grant::Artifact);
        files
            .chain(http)
            .chain(tcp)
            .chain(exec)
            .chain(toolchain)
            .chain(paths)
            .chain(env)
            .chain(secrets)
            .chain(artifacts)
    }

    /// The spellings of one capability's grants, as they would stand in a workflow.
    pub fn spellings(&self, capability: Capability) -> Vec<String> {
        self.iter().filter(|grant| grant.capability() == capability).map(|grant| grant.to_string()).collect()
    }
}

impl Grant {
    pub fn capability(&self) -> Capability {
        match self {
            Grant::File(_) => Capability::Files,
            Grant::Http(_) => Capability::Http,
            Grant::Tcp(_) => Capability::Tcp,
            Grant::Exec(_) => Capability::Exec,
            Grant::Toolchain(_) => Capability::Toolchain,
            Grant::Path(_) => Capability::Paths,
            Grant::Env(_) => Capability::Env,
            Grant::Secret(_) => Capability::Secrets,
            Grant::Artifact(_) => Capability::Artifacts,
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Grant::File(grant) => grant.fmt(f),
            Grant::Http(grant) => grant.fmt(f),
            Grant::Tcp(grant) => grant.fmt(f),
            Grant::Exec(grant) => grant.fmt(f),
            Grant::Toolchain(grant) => grant.fmt(f),
            Grant::Path(grant) => grant.fmt(f),
            Grant::Env(grant) => grant.fmt(f),
            Grant::Secret(grant) => grant.fmt(f),
            Grant::Artifact(grant) => grant.fmt(f),
        }
    }
}

/// Serialises a grant as its spelling.
macro_rules! serde_by_spelling {
    ($($type:ty),*) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
use serde_by_spelling;

#[cfg(test)]
mod tests;
