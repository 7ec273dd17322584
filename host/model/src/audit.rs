//! Every decision of the host over what a step asks: told as it falls, counted when it falls again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::denial::Denial;
use crate::grant::Capability;

/// Whether a step got what it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Allowed,
    Denied,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Denied => "denied",
        }
    }
}

/// One decision of the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ruling {
    pub capability: Capability,
    /// What was asked, as messages have it: `GET https://cdn.example.net/orders.json`, `running \`git\``.
    pub asked: String,
    pub verdict: Verdict,
    /// The spelling of the grant that allowed it, or why not.
    pub rule: String,
    /// The narrowest grant that allows this, in the spelling of workflows, if one can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrowest: Option<String>,
    /// What else was found out: the path of a program, the address that a name led to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl Ruling {
    /// Something that this grant allows and nothing narrower.
    pub fn allowed(capability: Capability, asked: impl Into<String>, grant: impl fmt::Display) -> Self {
        let rule = grant.to_string();
        let narrowest = Some(rule.clone());
        Self { capability, asked: asked.into(), verdict: Verdict::Allowed, rule, narrowest, details: BTreeMap::new() }
    }

    /// Something that is not allowed, or needs no grant, for this reason.
    pub fn without_grant(
        capability: Capability,
        asked: impl Into<String>,
        verdict: Verdict,
        rule: impl Into<String>,
    ) -> Self {
        let (asked, rule) = (asked.into(), rule.into());
        Self { capability, asked, verdict, rule, narrowest: None, details: BTreeMap::new() }
    }

    #[must_use]
    pub fn narrowest(mut self, grant: impl fmt::Display) -> Self {
        self.narrowest = Some(grant.to_string());
        self
    }

    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<String>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

impl From<&Denial> for Ruling {
    fn from(denial: &Denial) -> Self {
        let why = denial.why.clone().unwrap_or_else(|| "no grant covers it".to_owned());
        let ruling = Self::without_grant(denial.capability, &denial.asked, Verdict::Denied, why);
        Self { narrowest: denial.grant.clone(), ..ruling }
    }
}

/// Whether decisions tell all that a step uses of a capability; of files: which folders it opens, and whether it changes
/// anything there. Nobody is asked whether a variable is read, nor by programs, if the step ran any, for files and the
/// network.
pub fn tells_use(capability: Capability, ran_programs: bool) -> bool {
    match capability {
        Capability::Exec | Capability::Secrets | Capability::Artifacts => true,
        Capability::Files | Capability::Http | Capability::Tcp => !ran_programs,
        _ => false,
    }
}

/// A decision that fell more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Repeated {
    /// In all, the first one too.
    pub times: u64,
    #[serde(flatten)]
    pub ruling: Ruling,
}

/// What an [`Audit`] tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Told {
    /// The first time, at once.
    Ruling(Ruling),
    /// When the step has ended, if there is anything to say.
    Counted {
        repeated: Vec<Repeated>,
        /// Decisions that were not told, because there were too many different ones.
        left_out: u64,
    },
}

type Clean = Box<dyn Fn(&str) -> String + Send + Sync>;
type Tell = Box<dyn Fn(Told) + Send + Sync>;

/// Where the capabilities of one step put their decisions. Cheap to clone; the default tells nobody.
#[derive(Clone, Default)]
pub struct Audit(Arc<Inner>);

#[derive(Default)]
struct Inner {
    listener: Option<(Clean, Tell)>,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    denials: Vec<Denial>,
    /// As they were told, each with how often it fell.
    rulings: IndexMap<Ruling, u64>,
    left_out: u64,
}

impl Audit {
    /// The most different decisions of one step that are told.
    pub const TOLD: usize = 1000;
    /// The longest text in a decision, in bytes.
    pub const TEXT: usize = 1000;
    /// The most denials that explain a failure.
    const EXPLAINING: usize = 16;

    /// `clean` gives a text as it may leave: without values of secrets, without what speaks to a terminal.
    pub fn new(
        clean: impl Fn(&str) -> String + Send + Sync + 'static,
        tell: impl Fn(Told) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner { listener: Some((Box::new(clean), Box::new(tell))), heard: Mutex::default() }))
    }

    /// Tells a decision.
    pub fn decide(&self, ruling: Ruling) {
        let Some((clean, tell)) = &self.0.listener else { return };
        // Masked whole and cut then: half a secret is not recognised.
        let text = |text: String| shorten(clean(&text));
        let ruling = Ruling {
            capability: ruling.capability,
            asked: text(ruling.asked),
            verdict: ruling.verdict,
            rule: text(ruling.rule),
            narrowest: ruling.narrowest.map(text),
            details: ruling.details.into_iter().map(|(name, value)| (name, text(value))).collect(),
        };
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = heard.rulings.get_mut(&ruling) {
            *times += 1;
        } else if heard.rulings.len() < Self::TOLD {
            heard.rulings.insert(ruling.clone(), 1);
            // Still locked, so that events come in the order in which decisions fall.
            tell(Told::Ruling(ruling));
        } else {
            heard.left_out += 1;
        }
    }

    /// Tells that something was denied, remembers it to explain the failure of the step, and gives the text for the
    /// plugin.
    pub fn deny(&self, denial: Denial) -> String {
        self.decide(Ruling::from(&denial));
        let text = denial.text();
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.denials.len() < Self::EXPLAINING && !heard.denials.contains(&denial) {
            heard.denials.push(denial);
        }
        text
    }

    /// The first denials, in the order in which they happened, without repetitions.
    pub fn denials(&self) -> Vec<Denial> {
        self.0.heard.lock().unwrap_or_else(PoisonError::into_inner).denials.clone()
    }

    /// Tells how often decisions fell that fell more than once, and how many were not told. Once, when the step has
    /// ended.
    pub fn finish(&self) {
        let Some((_, tell)) = &self.0.listener else { return };
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let rulings = std::mem::take(&mut heard.rulings);
        let left_out = std::mem::take(&mut heard.left_out);
        let repeated = rulings.into_iter().filter(|(_, times)| *times > 1);
        let repeated: Vec<Repeated> = repeated.map(|(ruling, times)| Repeated { times, ruling }).collect();
        if !repeated.is_empty() || left_out > 0 {
            tell(Told::Counted { repeated, left_out });
        }
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Audit")
    }
}

fn shorten(mut text: String) -> String {
    if text.len() > Audit::TEXT {
        text.truncate(text.floor_char_boundary(Audit::TEXT));
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listened() -> (Audit, Arc<Mutex<Vec<Told>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = told.clone();
        (Audit::new(|text| text.replace("hunter2", "***"), move |told| list.lock().unwrap().push(told)), told)
    }

    #[test]
    fn a_decision_is_told_at_once_and_counted_when_it_falls_again() {
        let (audit, told) = listened();
        let git = || Ruling::allowed(Capability::Exec, "running `git`", "git").detail("program", "/usr/bin/git");
        audit.decide(git());
        assert_eq!(*told.lock().unwrap(), [Told::Ruling(git())]);
        audit.decide(git());
        let denial = Denial::new(Capability::Secrets, "the secret `TOKEN`", "TOKEN");
        audit.deny(denial.clone());
        audit.decide(git());
        assert_eq!(told.lock().unwrap()[1..], [Told::Ruling(Ruling::from(&denial))]);
        assert_eq!(audit.denials(), [denial]);
        audit.finish();
        audit.finish();
        let counted = Told::Counted { repeated: vec![Repeated { times: 3, ruling: git() }], left_out: 0 };
        assert_eq!(told.lock().unwrap()[2..], [counted]);
    }

    #[test]
    fn what_is_told_is_masked_before_it_is_cut_and_is_not_without_end() {
        let (audit, told) = listened();
        let long = format!("{}hunter2", "x".repeat(Audit::TEXT - 3));
        audit.decide(Ruling::allowed(Capability::Exec, "running `echo`", "echo").detail("arguments", &long));
        for number in 0..Audit::TOLD + 9 {
            audit.decide(Ruling::allowed(Capability::Http, format!("GET https://a.example/{number}"), "rule"));
        }
        audit.finish();
        let told = told.lock().unwrap();
        let Told::Ruling(first) = &told[0] else { panic!("{:?}", told[0]) };
        assert_eq!(first.details["arguments"], format!("{}***", "x".repeat(Audit::TEXT - 3)));
        assert_eq!(told.len(), Audit::TOLD + 1);
        assert_eq!(told.last(), Some(&Told::Counted { repeated: Vec::new(), left_out: 10 }));
    }
}
