//! What a plugin says of itself: `plugin.yaml`, embedded into the component as the custom section [`SECTION`].

mod codes;
pub(crate) mod parse;
mod schema;

use serde::Serialize;
use serde_json::Value;

use crate::grant::Capability;
use crate::kind::Kind;

pub use codes::CODES;

/// Name of the custom section that holds the manifest's text.
pub const SECTION: &str = "sluice:manifest";

/// A manifest longer than this is refused, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    pub name: String,
    pub version: semver::Version,
    pub description: String,
    pub kinds: Vec<Kind>,
    /// JSON Schema of the object of inputs; always has `type: object` and `additionalProperties: false`.
    pub inputs: Value,
    /// JSON Schema of the object of outputs, in the same form.
    pub outputs: Value,
    pub capabilities: Vec<Declaration>,
}

/// One declared capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Declaration {
    pub capability: Capability,
    /// Spellings of grants, with `${{ }}` over `with` where they depend on inputs.
    pub grants: Vec<String>,
    /// Why, for the people who accept it.
    pub reason: String,
}

impl Manifest {
    /// Whether the capability is declared at all.
    pub fn declares(&self, capability: Capability) -> bool {
        self.capabilities.iter().any(|declaration| declaration.capability == capability)
    }
}

impl Declaration {
    /// Whether a spelling depends on inputs.
    pub fn is_template(spelling: &str) -> bool {
        spelling.contains("${{")
    }
}
