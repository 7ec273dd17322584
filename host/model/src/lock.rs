//! `sluice.lock`: for each plugin from outside its digest and what it declared when somebody accepted it.
//!
//! The file binds authority, not only bytes: a version that declares more is refused until it is accepted. It holds nothing
//! that differs from machine to machine or from day to day, and is sorted, so that the same plugins give the same bytes.

mod codes;
mod more;
mod parse;
mod print;

use semver::Version;
use serde::Serialize;

use crate::digest::Digest;
use crate::kind::Kind;
use crate::manifest::{Declaration, Manifest};
use crate::reference::PluginRef;

pub use codes::CODES;
pub use more::{More, more};

/// The file's name, in the workspace.
pub const FILE: &str = "sluice.lock";

/// A longer lock is refused, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The version of the format that is read and written.
pub const VERSION: i64 = 1;

/// What has been accepted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lock {
    /// The folder of the workspace that holds the bytes, normalised, if they are kept there.
    pub vendor: Option<String>,
    /// Sorted by reference, each once.
    plugins: Vec<Locked>,
}

/// One accepted plugin.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Locked {
    /// As steps name it.
    #[serde(rename = "source")]
    pub reference: PluginRef,
    /// Of the component's bytes.
    pub digest: Digest,
    /// Of the manifest that named the bytes; of an artifact of a registry only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oci_manifest: Option<Digest>,
    /// `None` for a plain WASI command: it declares nothing, and gets what a step grants.
    #[serde(flatten)]
    pub declared: Option<Declared>,
}

/// What the manifest of a plugin says that people accept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Declared {
    pub name: String,
    pub version: Version,
    pub kinds: Vec<Kind>,
    pub capabilities: Vec<Declaration>,
}

impl From<&Manifest> for Declared {
    fn from(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            kinds: manifest.kinds.clone(),
            capabilities: manifest.capabilities.clone(),
        }
    }
}

impl Locked {
    /// `check 1.2.0`, or how it is named if it says nothing of itself.
    pub fn title(&self) -> String {
        match &self.declared {
            Some(declared) => format!("{} {}", declared.name, declared.version),
            None => self.reference.to_string(),
        }
    }

    /// Whether somebody who says `name` means it: the plugin's own name, or its reference.
    pub fn is_called(&self, name: &str) -> bool {
        self.declared.as_ref().is_some_and(|declared| declared.name == name)
            || self.reference.to_string() == name
            || PluginRef::parse(name).is_ok_and(|reference| reference.is_same(&self.reference))
    }
}

impl Lock {
    pub fn plugins(&self) -> &[Locked] {
        &self.plugins
    }

    pub fn get(&self, reference: &PluginRef) -> Option<&Locked> {
        self.plugins.iter().find(|locked| locked.reference.is_same(reference))
    }

    /// What was accepted of the same thing under other tags or digests.
    pub fn versions_of<'l>(&'l self, reference: &PluginRef) -> impl Iterator<Item = &'l Locked> + use<'l> {
        let reference = reference.clone();
        self.plugins.iter().filter(move |locked| locked.reference.is_version_of(&reference))
    }

    /// Accepts a plugin, in place of what was there under the same reference.
    pub fn insert(&mut self, locked: Locked) {
        self.remove(&locked.reference);
        self.plugins.push(locked);
        self.plugins.sort_by_cached_key(|locked| locked.reference.to_string());
    }

    /// Whether it was there.
    pub fn remove(&mut self, reference: &PluginRef) -> bool {
        let before = self.plugins.len();
        self.plugins.retain(|locked| !locked.reference.is_same(reference));
        self.plugins.len() != before
    }
}

#[cfg(test)]
mod tests;
