//! The most of one capability: a grant in the spelling of workflows, where names of secrets and variables may have `*`.

use std::fmt;

use sluice_model::grant::{Capability, Grant};
use sluice_model::{Grants, Span};

/// One entry of `grants`.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantRule {
    pub span: Span,
    capability: Capability,
    pattern: Pattern,
}

#[derive(Debug, Clone, PartialEq)]
enum Pattern {
    Exact(Grant),
    /// The name with its `*`, and what stands behind it in the spelling.
    Named {
        name: String,
        rest: String,
    },
}

/// What a `*` stands for while a pattern is read.
const ANY_NAME: &str = "X";

impl GrantRule {
    /// Reads an entry. The error says what was expected.
    pub fn parse(capability: Capability, text: &str, span: Span) -> Result<Self, String> {
        let name = text.split_whitespace().next().unwrap_or_default();
        let named = matches!(capability, Capability::Env | Capability::Secrets) && name.contains('*');
        let pattern = if named {
            let rest = text.trim_start().strip_prefix(name).unwrap_or_default().to_owned();
            let stand_in = format!("{}{rest}", name.replace('*', ANY_NAME));
            Grant::parse(capability, &stand_in).map_err(|reason| reason.replace(&stand_in, text))?;
            Pattern::Named { name: name.to_owned(), rest: rest.split_whitespace().collect::<Vec<_>>().join(" ") }
        } else {
            Pattern::Exact(Grant::parse(capability, text)?)
        };
        Ok(Self { span, capability, pattern })
    }

    /// Whether all that `grant` allows is permitted here.
    pub fn covers(&self, grant: &Grant) -> bool {
        let outer = match &self.pattern {
            Pattern::Exact(outer) => outer.clone(),
            Pattern::Named { name, rest } => {
                let spelling = grant.to_string();
                let own = spelling.split(' ').next().unwrap_or_default();
                if !stands_for(name, own) {
                    return false;
                }
                match Grant::parse(self.capability, format!("{own} {rest}").trim_end()) {
                    Ok(outer) => outer,
                    Err(_) => return false,
                }
            }
        };
        // What `covers` leaves to the workflow is not left to it here.
        let private = !is_private(grant) || is_private(&outer);
        let mut outer_grants = Grants::default();
        outer_grants.add(outer);
        private && outer_grants.covers(grant)
    }
}

/// Whether a host name may lead to a private address.
pub fn is_private(grant: &Grant) -> bool {
    match grant {
        Grant::Http(grant) => grant.private,
        Grant::Tcp(grant) => grant.private,
        _ => false,
    }
}

/// Whether the name has the form of the pattern, in which each `*` is any text.
fn stands_for(pattern: &str, name: &str) -> bool {
    let Some((first, others)) = pattern.split_once('*') else { return pattern == name };
    let (inner, last) = others.rsplit_once('*').unwrap_or(("", others));
    let Some(rest) = name.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    // The earliest place is as good as any other for what stands between two `*`.
    let found = inner.split('*').try_fold(rest, |rest, part| rest.split_once(part).map(|(_, rest)| rest));
    found.is_some()
}

impl fmt::Display for GrantRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            Pattern::Exact(grant) => grant.fmt(f),
            Pattern::Named { name, rest } => f.write_str(format!("{name} {rest}").trim_end()),
        }
    }
}
