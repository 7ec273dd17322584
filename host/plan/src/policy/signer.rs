//! Who must have signed a plugin: a public key, or an identity that an issuer vouches for.

use std::fmt;

use sluice_model::yaml::{Checker, Key, Node, field};
use sluice_model::{IdentityPattern, Problem};

use super::codes;

/// Whose signature counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signer {
    /// Path of a public key, as it stands in the policy.
    Key(String),
    /// Somebody without a key of their own, to whom a certificate was given for one signature.
    Identity {
        identity: IdentityPattern,
        /// Whoever knows the identity, by its address.
        issuer: String,
        /// Path of the trusted roots of an instance of Sigstore, as it stands in the policy; `None` is the public one.
        roots: Option<String>,
    },
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(path) => f.write_str(path),
            Self::Identity { identity, issuer, roots } => {
                write!(f, "{identity} of {issuer}")?;
                roots.as_ref().map_or(Ok(()), |roots| write!(f, " by the roots in {roots}"))
            }
        }
    }
}

impl Signer {
    /// For people, without the file of the roots.
    pub fn shown(&self) -> String {
        match self {
            Self::Key(path) => format!("`{path}`"),
            Self::Identity { identity, issuer, .. } => format!("`{identity}` of `{issuer}`"),
        }
    }
}

const KEY: &str = "key";
const IDENTITY: &str = "identity";
const ISSUER: &str = "issuer";
const ROOTS: &str = "roots";
const BOTH: &str = "name a public key, `signer: {key: acme.pub}`, or who signs without one, \
                    `signer: {identity: me@example.org, issuer: \"https://accounts.google.com\"}`";

/// `{key: acme.pub}`, or `{identity: ..., issuer: ..., roots: ...}`.
pub fn parse(node: &Node, check: &mut Checker<'_>) -> Option<Signer> {
    let fields = check.fields(node, "`signer`", "`signer`", &[KEY, IDENTITY, ISSUER, ROOTS])?;
    if let Some(key) = field(fields, KEY) {
        if let Some((other, _)) = fields.iter().find(|(other, _)| [IDENTITY, ISSUER, ROOTS].contains(&&*other.name)) {
            check.report(both(other));
            return None;
        }
        return Some(Signer::Key(filled(key, KEY, "name the file of a public key: `key: acme.pub`", check)?));
    }
    if fields.iter().all(|(key, _)| ![IDENTITY, ISSUER, ROOTS].contains(&&*key.name)) {
        check.missing(node.span, "`signer` has neither `key` nor `identity`", "names nobody", BOTH);
        return None;
    }
    let identity = match field(fields, IDENTITY) {
        Some(node) => identity(node, check),
        None => {
            let help = "write whose signature counts: `identity: me@example.org`, or the address of a workflow";
            check.missing(node.span, "`signer` has no `identity`", "would be anybody whom the issuer knows", help);
            None
        }
    };
    let issuer = match field(fields, ISSUER) {
        Some(node) => issuer(node, check),
        None => {
            let help = "write who vouches for it: `issuer: \"https://token.actions.githubusercontent.com\"`";
            check.missing(node.span, "`signer` has no `issuer`", "others could vouch for the same name", help);
            None
        }
    };
    let roots =
        field(fields, ROOTS).map(|node| filled(node, ROOTS, "leave it out for the public instance of Sigstore", check));
    // What could not be read has been told.
    Some(Signer::Identity {
        identity: identity?,
        issuer: issuer?,
        roots: roots.map_or(Some(None), |path| path.map(Some))?,
    })
}

fn both(other: &Key) -> Problem {
    Problem::new(codes::PLUGIN, format!("`signer` has both `key` and `{}`", other.name))
        .at(other.span, "a signature is by a key or by an identity")
        .help("write two items of `plugins`, if either of them is enough")
}

fn identity(node: &Node, check: &mut Checker<'_>) -> Option<IdentityPattern> {
    let text = check.text(node, "`identity`")?;
    let read = IdentityPattern::parse(text).map_err(|reason| {
        Problem::new(codes::PLUGIN, format!("`{text}` is no identity")).at(node.span, reason).help(
            "write it whole, as `cosign verify` wants it; the releases of one workflow are \
             `https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/*`",
        )
    });
    read.map_err(|problem| check.report(problem)).ok()
}

fn issuer(node: &Node, check: &mut Checker<'_>) -> Option<String> {
    let text = check.text(node, "`issuer`")?;
    let address = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    if address.is_none_or(|rest| rest.is_empty() || rest.contains('*') || rest.contains(char::is_whitespace)) {
        check.report(
            Problem::new(codes::PLUGIN, format!("`{text}` is no issuer")).at(node.span, "expected one whole address").help(
                "GitHub Actions is `https://token.actions.githubusercontent.com`, GitLab is `https://gitlab.com`, Google \
                 is `https://accounts.google.com`",
            ),
        );
        return None;
    }
    Some(text.to_owned())
}

fn filled(node: &Node, name: &str, help: &str, check: &mut Checker<'_>) -> Option<String> {
    let text = check.text(node, &format!("`{name}`"))?;
    if text.trim().is_empty() {
        let problem = Problem::new(codes::PLUGIN, format!("`{name}` is empty")).at(node.span, "names no file");
        check.report(problem.help(help));
        return None;
    }
    Some(text.to_owned())
}
