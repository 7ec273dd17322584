//! What the host refused while a step ran.

use std::fmt;

use crate::grant::Capability;

/// One thing that the host refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    pub capability: Capability,
    /// What was asked: `GET https://cdn.example.net/orders.json`, `running \`git\``.
    pub asked: String,
    /// Why not, when it is not simply that no grant covers it.
    pub why: Option<String>,
    /// The narrowest grant that would have allowed it, in the spelling of workflows; `None` when none can.
    pub grant: Option<String>,
}

impl Denial {
    /// Something that no grant covers.
    pub fn new(capability: Capability, asked: impl Into<String>, grant: impl Into<String>) -> Self {
        Self { capability, asked: asked.into(), why: None, grant: Some(grant.into()) }
    }

    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// How to grant exactly this, if that is possible.
    pub fn help(&self) -> Option<String> {
        let grant = self.grant.as_ref()?;
        let when = match self.capability {
            Capability::Http | Capability::Tcp => "if the step should reach that host too",
            _ => "if the step should be allowed that too",
        };
        Some(format!("{when}, add to its `grants`:\n    {}: [\"{grant}\"]", self.capability))
    }

    /// All of it, for the plugin.
    pub fn text(&self) -> String {
        self.help().map_or_else(|| self.to_string(), |help| format!("{self}; {help}"))
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host denied {}", self.asked)?;
        self.why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}
