//! What a step's report means: its outcome, once `fail-on`, `continue-on-error` and cancellation have been looked at.

use sluice_model::event::FindingCounts;
use sluice_model::finding::FailOn;
use sluice_model::{Failure, FailureKind, Finding, Outcome, Severity};
use sluice_plan::Step;

/// How a step ended and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub outcome: Outcome,
    pub failure: Option<Failure>,
}

/// Why a step failed, by what it returned and what it found; `None` if it did not.
pub fn failure(step: &Step, failure: Option<Failure>, findings: FindingCounts) -> Option<Failure> {
    failure.or_else(|| {
        let threshold = step.fail_on;
        let over = step.kind.emits_findings() && worst(findings).is_some_and(|severity| threshold.is_met_by(severity));
        over.then(|| Failure::new(FailureKind::Findings, describe(findings, threshold)))
    })
}

/// Judges a step that has ended for good.
pub fn judge(may_fail: bool, failure: Option<Failure>) -> Verdict {
    let outcome = match &failure {
        None => Outcome::Passed,
        Some(failure) if failure.kind == FailureKind::Cancelled => Outcome::Cancelled,
        Some(_) if may_fail => Outcome::AllowedToFail,
        Some(_) => Outcome::Failed,
    };
    Verdict { outcome, failure }
}

/// Adds findings to the count.
pub fn count(counts: &mut FindingCounts, findings: &[Finding]) {
    for finding in findings {
        match finding.severity {
            Severity::Error => counts.error += 1,
            Severity::Warning => counts.warning += 1,
            Severity::Info => counts.info += 1,
        }
    }
}

fn worst(counts: FindingCounts) -> Option<Severity> {
    match counts {
        FindingCounts { error: 1.., .. } => Some(Severity::Error),
        FindingCounts { warning: 1.., .. } => Some(Severity::Warning),
        FindingCounts { info: 1.., .. } => Some(Severity::Info),
        _ => None,
    }
}

/// `2 errors, 1 warning; fails on warning or worse`
fn describe(counts: FindingCounts, threshold: FailOn) -> String {
    let plural = |count: u64, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let parts = [
        plural(counts.error, "error", "errors"),
        plural(counts.warning, "warning", "warnings"),
        plural(counts.info, "info", "infos"),
    ];
    let counts = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let threshold = match threshold {
        FailOn::Info => "fails on any finding",
        FailOn::Warning => "fails on warning or worse",
        FailOn::Error => "fails on error",
        FailOn::Never => "never fails on findings",
    };
    format!("{counts}; {threshold}")
}
