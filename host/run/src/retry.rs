//! When a step that failed is tried again. Pure.

use indexmap::IndexMap;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sluice_model::{Failure, StepId};
use sluice_workflow::workflow::{Retry, Symptom};

/// By how much of itself a delay is spread.
const SPREAD: f64 = 0.25;

/// How an attempt ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    pub failure: &'a Failure,
    pub outputs: &'a IndexMap<String, Value>,
}

impl Ended<'_> {
    /// Whether the policy is for such failures. What was denied or cancelled is never meant, whatever it looks like.
    fn is_meant_by(self, policy: &Retry) -> bool {
        let may_pass = Retry::KINDS.contains(&self.failure.kind);
        policy.on.contains(&self.failure.kind) || (may_pass && policy.symptoms.iter().any(|own| self.shows(own)))
    }

    fn shows(self, symptom: &Symptom) -> bool {
        let code = self.outputs.get("exit-code").and_then(Value::as_u64);
        let exited = || code.is_some_and(|code| symptom.exit_codes.iter().any(|own| u64::from(*own) == code));
        let said = || symptom.messages.iter().any(|message| self.says(&message.to_lowercase()));
        (symptom.exit_codes.is_empty() || exited()) && (symptom.messages.is_empty() || said())
    }

    /// Whether the text, in lower case, is in the failure or in what the program wrote to standard error.
    fn says(self, text: &str) -> bool {
        let written = self.outputs.get("stderr").and_then(Value::as_str);
        let failure = std::iter::once(self.failure.message.as_str());
        let texts = failure.chain(self.failure.causes.iter().map(String::as_str)).chain(written);
        texts.into_iter().any(|own| own.to_lowercase().contains(text))
    }
}

/// How long to wait before the next attempt, in milliseconds; `None` if there is none. `attempt` counts from 1 and has
/// failed. What the other side asked to wait counts if it is longer, up to the policy's longest delay.
///
/// The spread of a delay follows from run, step and attempt, so that the same run does the same again.
pub fn delay_ms(policy: Option<&Retry>, ended: Ended<'_>, run: &str, id: &StepId, attempt: u32) -> Option<u64> {
    let policy = policy.filter(|policy| attempt < policy.attempts && ended.is_meant_by(policy))?;
    let failure = ended.failure;
    let power = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let longest = policy.max_delay_ms as f64;
    let backoff = (policy.delay_ms as f64 * policy.factor.powi(power)).min(longest);
    let spread = if policy.jitter { 1.0 - SPREAD + 2.0 * SPREAD * fraction(run, id, attempt) } else { 1.0 };
    let asked = failure.retry_after_ms.unwrap_or(0).min(policy.max_delay_ms);
    Some(((backoff * spread).min(longest) as u64).max(asked))
}

/// From 0 to 1, the same for the same attempt.
fn fraction(run: &str, id: &StepId, attempt: u32) -> f64 {
    let hash = Sha256::digest(format!("{run}\0{id}\0{attempt}"));
    let number = hash.iter().take(4).fold(0u32, |number, byte| number << 8 | u32::from(*byte));
    f64::from(number) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sluice_model::FailureKind;

    use super::*;

    /// How long to wait after a failure without outputs.
    fn after(policy: Option<&Retry>, failure: &Failure, run: &str, id: &StepId, attempt: u32) -> Option<u64> {
        delay_ms(policy, Ended { failure, outputs: &IndexMap::new() }, run, id, attempt)
    }

    fn failed(kind: FailureKind) -> Failure {
        Failure::new(kind, "it broke")
    }

    #[test]
    fn delays_grow_up_to_the_longest() {
        let policy = Retry { attempts: 6, delay_ms: 100, max_delay_ms: 500, jitter: false, ..Retry::default() };
        let id = StepId::new("job", "step");
        let delays: Vec<_> =
            (1..=6).map(|n| after(Some(&policy), &failed(FailureKind::Failed), "run", &id, n)).collect();
        assert_eq!(delays, [Some(100), Some(200), Some(400), Some(500), Some(500), None]);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let (policy, id) = (Retry::default(), StepId::new("job", "step"));
        let tried = |kind| after(Some(&policy), &failed(kind), "run", &id, 1).is_some();
        assert!(tried(FailureKind::Transient) && tried(FailureKind::TimedOut));
        for kind in [FailureKind::Denied, FailureKind::Cancelled, FailureKind::InvalidInput, FailureKind::Findings] {
            assert!(!tried(kind), "{kind:?}");
        }
        assert_eq!(after(None, &failed(FailureKind::Transient), "run", &id, 1), None);
    }

    #[test]
    fn what_the_other_side_asks_for_is_waited() {
        let policy = Retry { delay_ms: 10, max_delay_ms: 5000, ..Retry::default() };
        let (mut failure, id) = (failed(FailureKind::Transient), StepId::new("job", "step"));
        failure.retry_after_ms = Some(3000);
        assert_eq!(after(Some(&policy), &failure, "run", &id, 1), Some(3000));
        failure.retry_after_ms = Some(60_000);
        assert_eq!(after(Some(&policy), &failure, "run", &id, 1), Some(5000));
    }

    #[test]
    fn a_failure_is_known_by_its_exit_code_and_its_text() {
        let symptom = |exit_codes: &[u8], messages: &[&str]| Symptom {
            exit_codes: exit_codes.to_vec(),
            messages: messages.iter().map(|text| (*text).to_owned()).collect(),
        };
        let outputs = IndexMap::from([
            ("exit-code".to_owned(), Value::from(75)),
            ("stderr".to_owned(), Value::from("curl: (56) Recv failure: Connection reset by peer")),
        ]);
        for (kind, symptom, expected) in [
            (FailureKind::Failed, symptom(&[111, 75], &[]), true),
            (FailureKind::Failed, symptom(&[7], &[]), false),
            (FailureKind::Failed, symptom(&[], &["no route", "connection RESET"]), true),
            (FailureKind::Failed, symptom(&[], &["it broke"]), true),
            (FailureKind::Failed, symptom(&[], &["because"]), true),
            (FailureKind::Failed, symptom(&[], &["connection refused"]), false),
            (FailureKind::Failed, symptom(&[75], &["connection reset"]), true),
            (FailureKind::Failed, symptom(&[75], &["connection refused"]), false),
            (FailureKind::Failed, symptom(&[7], &["connection reset"]), false),
            (FailureKind::Denied, symptom(&[75], &["connection reset"]), false),
            (FailureKind::Cancelled, symptom(&[75], &[]), false),
        ] {
            let policy = Retry { on: vec![FailureKind::TimedOut], symptoms: vec![symptom.clone()], ..Retry::default() };
            let failure = failed(kind).cause("because of that");
            let ended = Ended { failure: &failure, outputs: &outputs };
            let id = StepId::new("job", "step");
            assert_eq!(delay_ms(Some(&policy), ended, "run", &id, 1).is_some(), expected, "{kind:?} {symptom:?}");
        }
    }

    proptest! {
        #[test]
        fn a_spread_delay_stays_within_a_quarter_and_repeats(
            delay in 1u64..10_000, factor in 1.0f64..4.0, attempt in 1u32..20, run in "[a-z]{1,8}",
        ) {
            let exact = Retry { attempts: 100, delay_ms: delay, factor, max_delay_ms: 60_000, jitter: false, ..Retry::default() };
            let spread = Retry { jitter: true, ..exact.clone() };
            let (failure, id) = (failed(FailureKind::Failed), StepId::new("job", "step"));
            let of = |policy| after(Some(policy), &failure, &run, &id, attempt).unwrap() as f64;
            prop_assert!(of(&spread) <= 60_000.0);
            prop_assert!((of(&spread) - of(&exact)).abs() <= of(&exact) * 0.25 + 1.0);
            prop_assert_eq!(of(&spread), of(&spread));
        }
    }
}
