//! What a person is asked before a job runs, and what the person says.

use serde::{Deserialize, Serialize};

/// One line of a job's checklist, as it stood when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gate {
    pub name: String,
    pub state: GateState,
    /// What was checked, why it does not hold, or the question to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateState {
    /// It was checked, and is so.
    Holds,
    /// It was checked, and is not so.
    DoesNotHold,
    /// A person has to say whether it is so.
    ToAttest,
}

/// Somebody is asked whether a job may run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ApprovalRequest {
    pub job: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// The users of the system who may answer; everybody if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// The user who may not answer: the one who started the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_by: Option<String>,
    /// When silence becomes a denial, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

impl ApprovalRequest {
    /// Names and questions of the gates that a person has to attest.
    pub fn to_attest(&self) -> impl Iterator<Item = (&str, &str)> {
        let open = self.gates.iter().filter(|gate| gate.state == GateState::ToAttest);
        open.map(|gate| (gate.name.as_str(), gate.detail.as_deref().unwrap_or_default()))
    }

    /// Whether this user of the system may answer.
    pub fn may_be_answered_by(&self, user: &str) -> bool {
        (self.by.is_empty() || self.by.iter().any(|name| name == user)) && self.not_by.as_deref() != Some(user)
    }

    /// Who may answer, for people: `alice or bob, but not carol`.
    pub fn who(&self) -> String {
        let by = if self.by.is_empty() { "everybody".to_owned() } else { self.by.join(" or ") };
        match &self.not_by {
            Some(not) => format!("{by}, but not {not}, who started the run"),
            None => by,
        }
    }
}

/// What was said to an [`ApprovalRequest`]. It stands, whatever happens to the run afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    pub job: String,
    pub approved: bool,
    /// The user of the system; `None` if nobody said anything in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Who it was in the words of the CI system. A claim: nothing is allowed because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// In milliseconds since the Unix epoch.
    pub decided_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Gates that the person attested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attested: Vec<String>,
}

impl Decision {
    /// `alice`, `ci (octocat)`; `None` if nobody said anything.
    pub fn who(&self) -> Option<String> {
        let by = self.by.as_ref()?;
        Some(match &self.actor {
            Some(actor) if actor != by => format!("{by} ({actor})"),
            _ => by.clone(),
        })
    }

    /// `approved by alice`, `denied by ci (octocat): not on a Friday`, `denied: nobody answered in time`
    pub fn words(&self) -> String {
        let word = if self.approved { "approved" } else { "denied" };
        let comment = self.comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_default();
        match self.who() {
            Some(who) => format!("{word} by {who}{comment}"),
            None => format!("{word}: nobody answered in time"),
        }
    }
}

/// A length of time in its largest whole unit: `24 h`, `90 s`.
pub fn period(ms: u64) -> String {
    let units = [("h", 3_600_000), ("min", 60_000), ("s", 1000)];
    let unit = units.into_iter().find(|(_, length)| ms >= *length && ms.is_multiple_of(*length));
    unit.map_or_else(|| format!("{ms} ms"), |(name, length)| format!("{} {name}", ms / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_answer() {
        let mut request = ApprovalRequest {
            job: "deploy".into(),
            message: String::new(),
            gates: Vec::new(),
            by: Vec::new(),
            not_by: None,
            until: None,
        };
        assert!(request.may_be_answered_by("anyone"));
        assert_eq!(request.who(), "everybody");
        request.by = vec!["alice".into(), "bob".into()];
        assert!(request.may_be_answered_by("bob") && !request.may_be_answered_by("carol"));
        request.not_by = Some("bob".into());
        assert!(request.may_be_answered_by("alice") && !request.may_be_answered_by("bob"));
        assert_eq!(request.who(), "alice or bob, but not bob, who started the run");
    }

    #[test]
    fn periods_have_the_largest_whole_unit() {
        let periods = [86_400_000, 5_400_000, 90_000, 1500].map(period);
        assert_eq!(periods, ["24 h", "90 min", "90 s", "1500 ms"]);
    }

    #[test]
    fn a_decision_in_words() {
        let mut decision = Decision {
            job: "deploy".into(),
            approved: false,
            by: Some("ci".into()),
            actor: Some("octocat".into()),
            decided_at: 0,
            comment: Some("too late".into()),
            attested: Vec::new(),
        };
        assert_eq!(decision.words(), "denied by ci (octocat): too late");
        decision.by = None;
        assert_eq!(decision.words(), "denied: nobody answered in time");
    }
}
