//! `sluice-policy.yaml`: what a machine, an organisation and a repository permit at most.
//!
//! Each file is a layer. A layer that says nothing of something permits it; what any layer refuses is refused. So a layer
//! can only narrow, and the order of layers does not matter.

mod canonical;
mod codes;
mod decision;
mod grant;
mod parse;
mod plugin;
mod problem;
mod signer;

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use sluice_model::grant::{Capability, FileGrant, Grant, normalise_path};
use sluice_model::{Digest, PluginRef, Problem, Source, Span};

pub use codes::CODES;
pub use decision::{Decision, Ruling, Subject, Verdict};
pub use grant::GrantRule;
pub use parse::MAX_BYTES;
pub use plugin::{Candidate, PluginRule};
pub use signer::Signer;

/// Whose policy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Machine,
    Organisation,
    Repository,
}

impl Owner {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Organisation => "organisation",
            Self::Repository => "repository",
        }
    }
}

/// One policy file.
#[derive(Debug, Clone)]
pub struct Layer {
    pub owner: Owner,
    pub source: Source,
    /// Where the workspace stands below the folder that paths in the policy start at: `services/web`, or `.`.
    pub workspace: String,
    /// The plugins that may run; `None` says nothing of them.
    pub plugins: Option<Listed<PluginRule>>,
    /// For every step.
    pub bounds: Bounds,
    /// Whether programs may run unconfined if somebody asks for that.
    pub unconfined: Option<Marked<bool>>,
    /// Further bounds for the steps of some plugins.
    pub sections: Vec<Section>,
}

/// The most that a step may get.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// By capability; one that is absent is not spoken of.
    pub grants: IndexMap<Capability, Listed<GrantRule>>,
    pub switches: IndexMap<Switch, Marked<bool>>,
}

/// Bounds for the steps of these plugins.
#[derive(Debug, Clone)]
pub struct Section {
    pub plugins: Vec<PluginRule>,
    pub bounds: Bounds,
}

/// Rules of a list, and where the key of the list stands.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    pub span: Span,
    pub rules: Vec<T>,
}

/// A value and the place of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked<T> {
    pub value: T,
    pub span: Span,
}

/// What is permitted or not, whatever grants say. `true` is the same as silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Switch {
    /// Running programs.
    Exec,
    /// Running shells, which can run any other program.
    Shells,
    /// Showing a plugin the value of a secret.
    Reveal,
    /// Addresses that are not of the public internet: this machine and the networks behind it.
    PrivateNetworks,
}

impl Switch {
    pub const ALL: [Self; 4] = [Self::Exec, Self::Shells, Self::Reveal, Self::PrivateNetworks];

    /// The field of a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Shells => "shells",
            Self::Reveal => "reveal",
            Self::PrivateNetworks => "private-networks",
        }
    }
}

/// All policies that apply. None of them permits everything.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    layers: Vec<Layer>,
    signatures: Signatures,
}

/// Whether plugins are signed: the position of the layer that asks, the signer as it stands there, and the plugin -> why not.
pub type Signatures = BTreeMap<(usize, Signer, PluginRef), Result<(), String>>;

impl Policies {
    /// In any order; they are kept machine first.
    pub fn new(mut layers: Vec<Layer>) -> Self {
        layers.sort_by(|a, b| (a.owner, a.source.name()).cmp(&(b.owner, b.source.name())));
        Self { layers, signatures: Signatures::default() }
    }

    /// The same with what was found out of signatures. What was not is refused.
    #[must_use]
    pub fn with(self, signatures: Signatures) -> Self {
        Self { signatures, ..self }
    }

    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Of what all layers say, whoever says it and in whatever order; `None` if they say nothing.
    pub fn digest(&self) -> Option<Digest> {
        canonical::digest(&self.layers)
    }
}

impl Layer {
    /// Reads a policy.
    ///
    /// # Errors
    /// All problems, in source order, each within `source`.
    pub fn parse(owner: Owner, source: &Source) -> Result<Self, Vec<Problem>> {
        parse::layer(owner, source)
    }

    /// The same for a workspace below the folder of the policy, at this normalised path.
    #[must_use]
    pub fn above(self, workspace: String) -> Self {
        Self { workspace, ..self }
    }

    /// A path of the workspace as the policy has it.
    fn path(&self, path: &str) -> String {
        match (self.workspace.as_str(), path) {
            (".", path) => path.to_owned(),
            (workspace, ".") => workspace.to_owned(),
            (workspace, path) => format!("{workspace}/{path}"),
        }
    }

    /// A plugin as the policy has it.
    fn reference(&self, reference: &PluginRef) -> PluginRef {
        match reference {
            PluginRef::Path(path) if self.workspace != "." && !path.starts_with('/') => {
                // One that leads above the workspace stays as it is, and fits nothing.
                let own = normalise_path(path).map(|path| format!("./{}", self.path(&path)));
                PluginRef::Path(own.unwrap_or_else(|_| path.clone()))
            }
            other => other.clone(),
        }
    }

    /// A grant as the policy has it.
    fn grant(&self, grant: &Grant) -> Grant {
        match grant {
            Grant::File(file) => Grant::File(FileGrant { access: file.access, path: self.path(&file.path) }),
            other => other.clone(),
        }
    }

    /// `sluice-policy.yaml:4:9`
    pub fn place(&self, span: Span) -> String {
        let (line, column) = self.source.line_column(span.start);
        format!("{}:{line}:{column}", self.source.name())
    }

    /// What the layer says, without places, the same for the same meaning.
    pub fn to_json(&self) -> serde_json::Value {
        canonical::layer(self)
    }
}

/// Policies are shared by all steps of a plan.
pub type SharedPolicies = Arc<Policies>;

#[cfg(test)]
mod tests;
