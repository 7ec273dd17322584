//! How a step names its plugin.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PluginRef {
    /// A first-party plugin inside the binary: `lint`.
    Builtin(String),
    /// A component file, relative to the workspace or absolute: `./vendor/x.wasm`.
    Path(String),
}

impl PluginRef {
    /// Reads a reference. A path is what has a `/` or ends in `.wasm`; the rest is a built-in name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("a plugin has a name or a path");
        }
        if text.contains("://") {
            return Err("plugins are built-in names or paths of `.wasm` files; other sources are not supported yet");
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
}

impl fmt::Display for PluginRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PluginRef::Builtin(name) => f.write_str(name),
            PluginRef::Path(path) => f.write_str(path),
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
