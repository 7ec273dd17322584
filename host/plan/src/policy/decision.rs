//! What the layers say of one plugin or one grant, and which rule says it.

use std::fmt;
use std::net::IpAddr;

use sluice_model::grant::{AddressKind, Capability, Grant, Host, HttpGrant, HttpTarget, Scheme, address_kind};
use sluice_model::suggest::list;
use sluice_model::{PluginRef, Span};

use super::grant::is_private;
use super::plugin::Match;
use super::{Bounds, Candidate, Layer, Marked, PluginRule, Policies, Section, Signer, Switch};

/// What runs whatever text it is given, beside the shells that people write scripts for.
const FURTHER_SHELLS: [&str; 13] = [
    "busybox",
    "csh",
    "elvish",
    "lksh",
    "mksh",
    "nu",
    "posh",
    "powershell",
    "rbash",
    "tcsh",
    "toybox",
    "xonsh",
    "yash",
];

/// What is permitted or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    Plugin(PluginRef),
    Grant(Grant),
    /// A program that gives the value of a secret, by name or path. No step runs it.
    Program(String),
    /// Running programs unconfined.
    Unconfined,
}

/// What every layer says of a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub subject: Subject,
    /// In the order of [`Policies::layers`].
    pub rulings: Vec<Ruling>,
}

/// What one layer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Position in [`Policies::layers`].
    pub layer: usize,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The layer says nothing of it.
    Silent,
    Permitted {
        rule: String,
        span: Span,
    },
    Refused {
        /// Follows the place of the rule: ``permits of `exec` only `git` ``.
        reason: String,
        /// What could be changed there: ``add `curl` to `exec` ``.
        remedy: String,
        span: Span,
    },
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        !self.rulings.iter().any(|ruling| matches!(ruling.verdict, Verdict::Refused { .. }))
    }
}

impl Policies {
    /// Whether a plugin may run.
    pub fn plugin(&self, candidate: &Candidate<'_>) -> Decision {
        let rulings = self.layers.iter().enumerate().map(|(index, layer)| {
            let signed = |signer: &Signer| {
                let known = self.signatures.get(&(index, signer.clone(), candidate.reference.clone()));
                known.cloned().unwrap_or_else(|| Err("nobody looked for one".to_owned()))
            };
            let reference = layer.reference(candidate.reference);
            let own = Candidate { reference: &reference, digest: candidate.digest };
            let verdict = match &layer.plugins {
                None => Verdict::Silent,
                Some(listed) => plugin(&listed.rules, listed.span, &own, signed),
            };
            Ruling { layer: index, verdict }
        });
        Decision { subject: Subject::Plugin(candidate.reference.clone()), rulings: rulings.collect() }
    }

    /// The signers that decide over a plugin, each with the position of its layer.
    pub fn wanted_signatures(&self, candidate: &Candidate<'_>) -> Vec<(usize, Signer)> {
        let mut signers = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let reference = layer.reference(candidate.reference);
            let own = Candidate { reference: &reference, digest: candidate.digest };
            let rules = layer.plugins.iter().flat_map(|listed| &listed.rules);
            let rules = rules.filter(|rule| rule.matches(&own) == Match::Yes);
            signers.extend(rules.filter_map(|rule| Some((index, rule.signer.clone()?))));
        }
        signers
    }

    /// Whether a step of this plugin may get a grant.
    pub fn grant(&self, candidate: &Candidate<'_>, wanted: &Grant) -> Decision {
        self.decide(Subject::Grant(wanted.clone()), |layer| {
            let (reference, wanted) = (layer.reference(candidate.reference), layer.grant(wanted));
            let own = Candidate { reference: &reference, digest: candidate.digest };
            let concerned = layer.sections.iter().filter(|section| section.concerns(&own));
            let bounds = std::iter::once(&layer.bounds).chain(concerned.map(|section| &section.bounds));
            strictest(bounds.map(|bounds| bounds.grant(&wanted)))
        })
    }

    /// Whether a program may give the value of a secret.
    pub fn program(&self, program: &str) -> Decision {
        self.decide(Subject::Program(program.to_owned()), |layer| layer.bounds.program(program))
    }

    /// Whether programs may run unconfined.
    pub fn unconfined(&self) -> Decision {
        self.decide(Subject::Unconfined, |layer| {
            layer.unconfined.map_or(Verdict::Silent, |switch| switched("unconfined", switch))
        })
    }

    fn decide(&self, subject: Subject, verdict: impl Fn(&Layer) -> Verdict) -> Decision {
        let layers = self.layers.iter().enumerate();
        let rulings = layers.map(|(layer, said)| Ruling { layer, verdict: verdict(said) }).collect();
        Decision { subject, rulings }
    }
}

/// The first refusal, or else the first permission.
fn strictest(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.fold(Verdict::Silent, |so_far, next| match (&so_far, &next) {
        (Verdict::Silent, _) | (Verdict::Permitted { .. }, Verdict::Refused { .. }) => next,
        _ => so_far,
    })
}

/// `signed` says whether it is signed by somebody, or why not.
fn plugin(
    rules: &[PluginRule],
    span: Span,
    candidate: &Candidate<'_>,
    signed: impl Fn(&Signer) -> Result<(), String>,
) -> Verdict {
    let matching: Vec<&PluginRule> = rules.iter().filter(|rule| rule.matches(candidate) == Match::Yes).collect();
    if let Some(rule) = matching.iter().find(|rule| rule.signer.is_none()) {
        return Verdict::Permitted { rule: format!("plugins: {rule}"), span: rule.span };
    }
    let mut unsigned = None;
    for (rule, signer) in matching.iter().filter_map(|rule| Some((rule, rule.signer.as_ref()?))) {
        match signed(signer) {
            Ok(()) => return Verdict::Permitted { rule: format!("plugins: {rule}"), span: rule.span },
            Err(why) => drop(unsigned.get_or_insert(Verdict::Refused {
                reason: format!("asks for a signature by {}: {why}", signer.shown()),
                remedy: "have it signed, or name its `digest` instead of its `signer`".to_owned(),
                span: rule.span,
            })),
        }
    }
    if let Some(refused) = unsigned {
        return refused;
    }
    let spellings: Vec<String> = rules.iter().map(ToString::to_string).collect();
    let reason = match spellings.as_slice() {
        [] => "permits no plugin".to_owned(),
        _ => format!("permits of plugins only {}", list(spellings.iter().map(String::as_str))),
    };
    Verdict::Refused { reason, remedy: format!("add `{}` to `plugins`", candidate.reference), span }
}

impl Section {
    /// Whether it is, or could be, about this plugin.
    fn concerns(&self, candidate: &Candidate<'_>) -> bool {
        self.plugins.iter().any(|rule| rule.matches(candidate) != Match::No)
    }
}

impl Bounds {
    fn grant(&self, wanted: &Grant) -> Verdict {
        let switches = self.switches.iter().filter(|(switch, _)| switch.concerns(wanted));
        let switches = switches.map(|(switch, value)| switched(switch.as_str(), *value));
        strictest(switches.chain([self.listed(wanted)]))
    }

    /// One that is named by its path is no program that a list can name.
    fn program(&self, program: &str) -> Verdict {
        let parse =
            |name: &str| Grant::parse(Capability::Exec, name).ok().filter(|_| !name.contains(char::is_whitespace));
        if let Some(wanted) = parse(program) {
            return self.grant(&wanted);
        }
        let name = parse(program.rsplit('/').next().unwrap_or_default());
        let concerns = |switch: Switch| match &name {
            Some(wanted) => switch.concerns(wanted),
            None => matches!(switch, Switch::Exec | Switch::Shells),
        };
        let switches = self.switches.iter().filter(|(switch, _)| concerns(**switch));
        let switches = switches.map(|(switch, value)| switched(switch.as_str(), *value));
        let listed = self.grants.get(&Capability::Exec).map(|listed| Verdict::Refused {
            reason: "permits of `exec` only programs by their names".to_owned(),
            remedy: format!("name a program on the search path instead of `{program}`, and permit it"),
            span: listed.span,
        });
        strictest(switches.chain(listed))
    }

    fn listed(&self, wanted: &Grant) -> Verdict {
        let capability = wanted.capability();
        let Some(listed) = self.grants.get(&capability) else { return Verdict::Silent };
        if let Some(rule) = listed.rules.iter().find(|rule| rule.covers(wanted)) {
            return Verdict::Permitted { rule: format!("{capability}: {rule}"), span: rule.span };
        }
        let spellings: Vec<String> = listed.rules.iter().map(ToString::to_string).collect();
        let reason = match spellings.as_slice() {
            [] => format!("permits nothing of `{capability}`"),
            _ => format!("permits of `{capability}` only {}", list(spellings.iter().map(String::as_str))),
        };
        Verdict::Refused { reason, remedy: format!("add `{wanted}` to `{capability}`"), span: listed.span }
    }
}

fn switched(name: &str, switch: Marked<bool>) -> Verdict {
    match switch.value {
        true => Verdict::Permitted { rule: format!("{name}: true"), span: switch.span },
        false => Verdict::Refused {
            reason: format!("says `{name}: false`"),
            remedy: format!("change `{name}`"),
            span: switch.span,
        },
    }
}

impl Switch {
    fn concerns(self, wanted: &Grant) -> bool {
        match (self, wanted) {
            (Self::Exec, Grant::Exec(_)) => true,
            (Self::Shells, Grant::Exec(program)) => program.is_shell() || FURTHER_SHELLS.contains(&&*program.program),
            (Self::Reveal, Grant::Secret(secret)) => secret.reveals(),
            (Self::PrivateNetworks, Grant::Http(http)) => {
                is_private(wanted) || host(http).is_some_and(|host| is_near(&host))
            }
            (Self::PrivateNetworks, Grant::Tcp(tcp)) => is_private(wanted) || is_near(&tcp.host),
            _ => false,
        }
    }
}

/// The host that a grant names; for `*.example.com` what is above.
fn host(grant: &HttpGrant) -> Option<Host> {
    let spelling = grant.to_string();
    let (scheme, rest) = spelling.split(' ').nth(1)?.split_once("://")?;
    let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Https };
    let authority = rest.split('/').next()?;
    let authority = authority.strip_prefix("*.").unwrap_or(authority);
    HttpTarget::parse("GET", scheme, authority, "/").ok().map(|target| target.host)
}

/// Whether the host itself says that it is not of the public internet.
fn is_near(host: &Host) -> bool {
    let near = |ip: &IpAddr| address_kind(*ip) != AddressKind::Public;
    match host {
        Host::Ip(ip) => near(ip),
        Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugin(reference) => write!(f, "plugin: {reference}"),
            Self::Grant(grant) => write!(f, "{}: {grant}", grant.capability()),
            Self::Program(program) => write!(f, "program: {program}"),
            Self::Unconfined => f.write_str("programs that are not confined"),
        }
    }
}
