//! The kinds of plugin.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The typed WIT interface that a plugin exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Lint,
    Scan,
    Build,
    Deploy,
    Notify,
    Task,
}

impl Kind {
    pub const ALL: [Kind; 6] = [Kind::Lint, Kind::Scan, Kind::Build, Kind::Deploy, Kind::Notify, Kind::Task];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Lint => "lint",
            Kind::Scan => "scan",
            Kind::Build => "build",
            Kind::Deploy => "deploy",
            Kind::Notify => "notify",
            Kind::Task => "task",
        }
    }

    /// Whether steps of this kind take `fail-on`.
    pub fn emits_findings(self) -> bool {
        matches!(self, Kind::Lint | Kind::Scan)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}
