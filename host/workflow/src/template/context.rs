//! What expressions can see.

use std::collections::BTreeMap;

use serde_json::Value;

use super::value;

/// How things stand, for conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    pub failed: bool,
    pub cancelled: bool,
}

/// Root name -> value: `inputs`, `env`, `needs`, `steps`, `services`, `git`, `run`, `matrix`, `item`, `index`, or `with` for a manifest's grants.
/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Context {
    roots: BTreeMap<String, cel::Value>,
    status: Status,
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

    /// Sets a root, if there is a value.
    pub fn set_some(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    pub fn set_status(&mut self, status: Status) {
        self.status = status;
    }

    pub(super) fn status(&self) -> Status {
        self.status
    }

    pub fn has(&self, name: &str) -> bool {
        self.roots.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&cel::Value> {
        self.roots.get(name)
    }
}
