//! What expressions can see.

use std::collections::BTreeMap;

use serde_json::Value;

use super::value;

/// Root name -> value: `inputs`, `env`, `needs`, `steps`, `git`, `run`, or `with` for a manifest's grants.
/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Context {
    roots: BTreeMap<String, cel::Value>,
}

impl Context {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: &Value) -> Self {
        self.set(name, value);
        self
    }

    /// Sets or replaces a root.
    pub fn set(&mut self, name: impl Into<String>, value: &Value) {
        self.roots.insert(name.into(), value::from_json(value));
    }

    pub fn has(&self, name: &str) -> bool {
        self.roots.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&cel::Value> {
        self.roots.get(name)
    }
}
