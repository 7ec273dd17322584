//! `rust`: what the tools of a language keep outside of the workspace.

use std::fmt;
use std::str::FromStr;

use super::serde_by_spelling;

/// The tools of a language: where they are, and the caches that they share between projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Toolchain {
    Rust,
    Node,
    Python,
    Go,
}

impl Toolchain {
    pub const ALL: [Self; 4] = [Self::Rust, Self::Node, Self::Python, Self::Go];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Node => "node",
            Self::Python => "python",
            Self::Go => "go",
        }
    }
}

impl FromStr for Toolchain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|toolchain| toolchain.as_str() == text)
            .ok_or_else(|| format!("expected `rust`, `node`, `python` or `go`, found `{text}`"))
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_by_spelling!(Toolchain);
