//! What a plugin declares beyond what was accepted.

use std::fmt;

use serde::Serialize;

use super::Declared;
use crate::grant::{Capability, Grant};
use crate::manifest::Declaration;

/// One thing that a plugin wants and nobody has accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct More {
    /// `None` if it no longer declares what it needs: it is a plain command now, which gets all that a step grants.
    pub capability: Option<Capability>,
    /// Its spelling in the manifest; empty without a capability.
    pub grant: String,
    /// Why, in the words of its author.
    pub reason: String,
    /// What was accepted of the same capability.
    pub accepted: Vec<String>,
}

/// Everything that `wanted` allows beyond `accepted`; nothing if it is less or the same. `None` is a plain WASI command.
///
/// A grant that depends on inputs counts as the same only if its text is: what else it could cover is not known.
pub fn more(accepted: Option<&Declared>, wanted: Option<&Declared>) -> Vec<More> {
    let Some(wanted) = wanted else {
        return match accepted {
            None => Vec::new(),
            Some(_) => {
                vec![More { capability: None, grant: String::new(), reason: String::new(), accepted: Vec::new() }]
            }
        };
    };
    let accepted: Vec<(Capability, &str)> =
        accepted.iter().flat_map(|declared| grants(&declared.capabilities)).collect();
    let of = |capability: Capability| accepted.iter().filter(move |(of, _)| *of == capability).map(|(_, grant)| *grant);
    let mut found = Vec::new();
    for declaration in &wanted.capabilities {
        for grant in &declaration.grants {
            let capability = declaration.capability;
            if !of(capability).any(|outer| is_within(capability, grant, outer)) {
                found.push(More {
                    capability: Some(capability),
                    grant: grant.clone(),
                    reason: declaration.reason.clone(),
                    accepted: of(capability).map(str::to_owned).collect(),
                });
            }
        }
    }
    found
}

fn grants(declarations: &[Declaration]) -> impl Iterator<Item = (Capability, &str)> {
    declarations
        .iter()
        .flat_map(|declaration| declaration.grants.iter().map(|grant| (declaration.capability, grant.as_str())))
}

/// Whether all that `inner` allows is allowed by `outer`.
fn is_within(capability: Capability, inner: &str, outer: &str) -> bool {
    if inner == outer {
        return true;
    }
    if Declaration::is_template(inner) || Declaration::is_template(outer) {
        return false;
    }
    match (Grant::parse(capability, inner), Grant::parse(capability, outer)) {
        (Ok(inner), Ok(outer)) => {
            // `covers` leaves private addresses to the workflow; who accepts a plugin is asked about them.
            let private = |grant: &Grant| match grant {
                Grant::Http(grant) => grant.private,
                Grant::Tcp(grant) => grant.private,
                _ => false,
            };
            let mut alone = crate::Grants::default();
            let widens = private(&inner) && !private(&outer);
            alone.add(outer);
            alone.covers(&inner) && !widens
        }
        _ => false,
    }
}

/// `new: exec git, because: reads the history`
impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(capability) = self.capability else {
            return f.write_str("it carries no manifest any more: it would get whatever a step grants");
        };
        let kind = if self.accepted.is_empty() { "new" } else { "wider" };
        write!(f, "{kind}: {capability} `{}`, because: {}", self.grant, self.reason)?;
        if self.accepted.is_empty() {
            return Ok(());
        }
        write!(f, "; accepted was {}", crate::suggest::list(self.accepted.iter().map(String::as_str)))
    }
}
