//! What a run comes to: a fold over its events.

use serde::{Deserialize, Serialize};
use sluice_model::event::FindingCounts;
use sluice_model::{Event, EventKind, Outcome, name};

use crate::id::RunId;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It ended, and its last event says how.
    Finished(Outcome),
    /// Its process is alive.
    Running,
    /// Its process ended without a last event.
    Interrupted,
    /// Its process ended because nothing was left but jobs that wait for an answer: [`RunInfo::waits_for`].
    WaitsForApproval,
    /// It went on when its events could no longer be written: how it ended is not known here.
    Incomplete,
}

/// Steps by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepCounts {
    /// All that the plan has, also those that did not start.
    pub planned: u64,
    pub passed: u64,
    pub failed: u64,
    pub allowed_to_fail: u64,
    pub skipped: u64,
    pub cancelled: u64,
    pub unknown: u64,
}

/// One run in a list of runs. `summary.json` is this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunInfo {
    pub id: RunId,
    /// Empty if the run was interrupted before its first event was written.
    pub workflow: String,
    /// The workflow file, relative to the workspace.
    pub file: String,
    pub state: State,
    /// Milliseconds since the Unix epoch.
    pub started: u64,
    /// For a run that did not end, the time to its last event.
    pub duration_ms: u64,
    pub steps: StepCounts,
    pub findings: FindingCounts,
    pub events: u64,
    /// Jobs that somebody was asked about, without an answer so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<String>,
}

impl RunInfo {
    pub(crate) fn new(id: RunId) -> Self {
        Self {
            started: id.started(),
            id,
            workflow: String::new(),
            file: String::new(),
            state: State::Interrupted,
            duration_ms: 0,
            steps: StepCounts::default(),
            findings: FindingCounts::default(),
            events: 0,
            waits_for: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, event: &Event) {
        if self.events == 0 {
            self.started = event.at;
        }
        self.events += 1;
        if !matches!(self.state, State::Finished(_) | State::WaitsForApproval) {
            self.duration_ms = event.at.saturating_sub(self.started);
        }
        match &event.kind {
            EventKind::RunStarted { workflow, file, jobs, .. } => {
                self.workflow.clone_from(workflow);
                self.file.clone_from(file);
                self.steps.planned = jobs.values().map(|steps| steps.len() as u64).sum();
            }
            // What was done before is said again: who counts begins here.
            EventKind::RunResumed { workflow, file, jobs, .. } => {
                let planned = jobs.values().map(|steps| steps.len() as u64).sum();
                self.workflow.clone_from(workflow);
                self.file.clone_from(file);
                self.steps = StepCounts { planned, ..StepCounts::default() };
                self.findings = FindingCounts::default();
                self.state = State::Interrupted;
                self.waits_for.clear();
            }
            EventKind::ApprovalRequested(request) => self.waits_for.push(request.job.clone()),
            EventKind::ApprovalGiven(decision) => self.answered(&decision.job),
            EventKind::JobFinished { job, .. } => self.answered(job),
            EventKind::RunParked { duration_ms, .. } => {
                self.state = State::WaitsForApproval;
                self.duration_ms = *duration_ms;
            }
            EventKind::JobExpanded { cells, .. } => {
                let counts = || cells.values().map(|steps| steps.len() as u64);
                // Every cell has the steps of the job that it stands for.
                let replaced = counts().next().unwrap_or(0);
                self.steps.planned = (self.steps.planned + counts().sum::<u64>()).saturating_sub(replaced);
            }
            EventKind::StepExpanded { items, .. } => {
                self.steps.planned = (self.steps.planned + items.len() as u64).saturating_sub(1);
            }
            EventKind::StepFinished { outcome, findings, .. } | EventKind::StepReused { outcome, findings, .. } => {
                *match outcome {
                    Outcome::Passed => &mut self.steps.passed,
                    Outcome::Failed => &mut self.steps.failed,
                    Outcome::AllowedToFail => &mut self.steps.allowed_to_fail,
                    Outcome::Skipped => &mut self.steps.skipped,
                    Outcome::Cancelled => &mut self.steps.cancelled,
                    Outcome::Unknown => &mut self.steps.unknown,
                } += 1;
                self.findings.error += findings.error;
                self.findings.warning += findings.warning;
                self.findings.info += findings.info;
            }
            EventKind::RunFinished { outcome, duration_ms } => {
                self.state = State::Finished(*outcome);
                self.duration_ms = *duration_ms;
                self.waits_for.clear();
            }
            _ => {}
        }
    }

    /// A job, or all its cells, wait for nobody any more. With all answers there the run can go on.
    fn answered(&mut self, job: &str) {
        self.waits_for.retain(|waits| !name::is_of_job(waits, job));
        if self.state == State::WaitsForApproval && self.waits_for.is_empty() {
            self.state = State::Interrupted;
        }
    }
}
