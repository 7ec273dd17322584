//! Grants that are a name: environment variables; and the two of artifacts.

use std::fmt;
use std::str::FromStr;

use super::serde_by_spelling;

/// An environment variable of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvGrant {
    pub name: String,
}

/// What a step may do with artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactGrant {
    Read,
    Write,
}

impl EnvGrant {
    pub fn covers(&self, inner: &Self) -> bool {
        self == inner
    }
}

pub(super) fn is_variable_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl FromStr for EnvGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_variable_name(text) {
            Ok(Self { name: text.to_owned() })
        } else {
            Err(format!("expected the name of an environment variable, found `{text}`"))
        }
    }
}

impl FromStr for ArtifactGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            _ => Err(format!("expected `read` or `write`, found `{text}`")),
        }
    }
}

impl fmt::Display for EnvGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for ArtifactGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

serde_by_spelling!(EnvGrant, ArtifactGrant);
