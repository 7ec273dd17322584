//! `API_TOKEN`, `API_TOKEN @ https://api.example.com`, `API_TOKEN reveal`: a secret, and how a step may use it.

use std::fmt;
use std::str::FromStr;

use super::name::is_variable_name;
use super::{Origin, serde_by_spelling};

/// A secret by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretGrant {
    pub name: String,
    /// Where requests may carry it; `None` for every origin that the step's `http` grants name.
    pub origin: Option<Origin>,
    reveal: bool,
}

impl SecretGrant {
    /// The secret is used without being seen, wherever the step may send requests.
    pub fn inject(name: impl Into<String>) -> Self {
        Self { name: name.into(), origin: None, reveal: false }
    }

    /// Whether the plugin itself gets the value.
    pub fn reveals(&self) -> bool {
        self.reveal
    }

    /// Whether a request to `origin` may carry the secret.
    pub fn goes_to(&self, origin: &Origin) -> bool {
        self.origin.as_ref().is_none_or(|bound| bound == origin)
    }

    /// Who may see a value may use it as well; the other way round, not.
    pub fn covers(&self, inner: &Self) -> bool {
        self.name == inner.name
            && (self.reveal || !inner.reveal)
            && (self.origin.is_none() || self.origin == inner.origin)
    }
}

impl FromStr for SecretGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected the name of a secret (letters, digits, `_`)";
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (name, origin, reveal) = match words.as_slice() {
            [name] => (*name, None, false),
            [name, "reveal"] => (*name, None, true),
            [name, "@", origin] => (*name, Some(origin.parse()?), false),
            [_, "@", _, "reveal"] | [_, "reveal", "@", _] => {
                return Err("a secret that is revealed cannot be kept to an origin".into());
            }
            _ => {
                return Err(format!("{EXPECTED}, and behind it nothing, `@ https://HOST` or `reveal`, found `{text}`"));
            }
        };
        if !is_variable_name(name) {
            return Err(format!("{EXPECTED}, found `{text}`"));
        }
        Ok(Self { name: name.to_owned(), origin, reveal })
    }
}

impl fmt::Display for SecretGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(origin) = &self.origin {
            write!(f, " @ {origin}")?;
        }
        if self.reveal { f.write_str(" reveal") } else { Ok(()) }
    }
}

serde_by_spelling!(SecretGrant);
