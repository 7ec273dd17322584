//! What happens in a run: the only wire and record format.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::approval::{ApprovalRequest, Decision, Gate};
use crate::audit::{Repeated, Ruling};
use crate::digest::Digest;
use crate::finding::Finding;
use crate::grant::Grants;
use crate::outcome::{Failure, Outcome};
use crate::reference::PluginRef;

/// A step within a run: the job's name and the step's id (given or made up: `step-1`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId {
    pub job: String,
    pub step: String,
}

impl StepId {
    pub fn new(job: impl Into<String>, step: impl Into<String>) -> Self {
        Self { job: job.into(), step: step.into() }
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.job, self.step)
    }
}

/// One thing that happened. One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Counts from 0 without gaps within a run.
    pub seq: u64,
    /// Milliseconds since the Unix epoch.
    pub at: u64,
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Importance of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Where a line of a step's log came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Standard output of the component or of a program it ran.
    Stdout,
    /// Standard error of the component or of a program it ran.
    Stderr,
    /// The plugin's `log` function.
    Log,
}

/// Who in a step got the value of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeenBy {
    /// The plugin itself: it was revealed.
    Plugin,
    /// A program that the plugin ran, as a variable.
    Program,
}

/// A change that a deploy plugin plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    pub action: ChangeAction,
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeAction {
    Create,
    Update,
    Delete,
}

/// Findings by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FindingCounts {
    pub error: u64,
    pub warning: u64,
    pub info: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum EventKind {
    RunStarted {
        run: String,
        workflow: String,
        /// The workflow file, relative to the workspace.
        file: String,
        plan: Digest,
        /// Every job with the ids of its steps, in order.
        jobs: IndexMap<String, Vec<String>>,
    },
    /// A recorded run goes on. What was recorded before is said again, as [`EventKind::StepReused`], or done anew: who
    /// counts begins here.
    RunResumed {
        run: String,
        workflow: String,
        file: String,
        plan: Digest,
        jobs: IndexMap<String, Vec<String>>,
        /// The run whose results are taken over, if it is another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// The cells of a matrix that was not known before the run; they take the place of the job.
    JobExpanded {
        job: String,
        /// Every cell with the ids of its steps, in order.
        cells: IndexMap<String, Vec<String>>,
    },
    /// What must hold before the job runs was looked at.
    ChecklistChecked {
        job: String,
        gates: Vec<Gate>,
    },
    /// The job waits until somebody answers.
    ApprovalRequested(ApprovalRequest),
    /// Somebody answered, or the time for that was over. Said again when a run goes on.
    ApprovalGiven(Decision),
    /// The job fails without having begun: a gate does not hold, or the job was denied.
    JobRefused {
        job: String,
        failure: Failure,
    },
    JobStarted {
        job: String,
        /// What people call the job, if the workflow says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// The items of a `for-each`; they take the place of the step.
    StepExpanded {
        #[serde(flatten)]
        id: StepId,
        /// Ids within the job: `deploy[0]`.
        items: Vec<String>,
    },
    /// An attempt failed, and another will be made.
    StepRetrying {
        #[serde(flatten)]
        id: StepId,
        /// The one that failed.
        attempt: u32,
        failure: Failure,
        /// How long the next one waits.
        delay_ms: u64,
    },
    /// The step was done before, and its results stand.
    StepReused {
        #[serde(flatten)]
        id: StepId,
        name: String,
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        outputs: IndexMap<String, Value>,
        #[serde(default)]
        findings: FindingCounts,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// As of [`EventKind::StepFinished`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tainted: Vec<String>,
    },
    StepStarted {
        #[serde(flatten)]
        id: StepId,
        /// What people call the step.
        name: String,
        attempt: u32,
        plugin: PluginRef,
        digest: Digest,
    },
    /// A step in the background can be used.
    StepReady {
        #[serde(flatten)]
        id: StepId,
        /// How long that took.
        duration_ms: u64,
    },
    Log {
        #[serde(flatten)]
        id: StepId,
        stream: Stream,
        level: Level,
        /// One line or more, without the last line feed.
        text: String,
    },
    Progress {
        #[serde(flatten)]
        id: StepId,
        done: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
        message: String,
    },
    Findings {
        #[serde(flatten)]
        id: StepId,
        findings: Vec<Finding>,
    },
    Artifact {
        #[serde(flatten)]
        id: StepId,
        name: String,
        digest: Digest,
        media_type: String,
        size: u64,
    },
    /// The value of a secret was handed into the step, which is tainted by it from here on. Said once a secret.
    SecretSeen {
        #[serde(flatten)]
        id: StepId,
        /// Its name.
        secret: String,
        by: SeenBy,
    },
    /// The host allowed or denied something that the step asked for. The same is told once in an attempt.
    Decision {
        #[serde(flatten)]
        id: StepId,
        /// Of the plugin that asked.
        digest: Digest,
        #[serde(flatten)]
        ruling: Ruling,
    },
    /// How often decisions of the attempt that ends now fell again.
    DecisionsCounted {
        #[serde(flatten)]
        id: StepId,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        repeated: Vec<Repeated>,
        /// Decisions that are not on record, because there were too many different ones.
        #[serde(default)]
        left_out: u64,
    },
    /// What a deploy plugin would change or is about to change.
    DeployPlanned {
        #[serde(flatten)]
        id: StepId,
        changes: Vec<Change>,
    },
    /// All that a rollback needs.
    DeployApplied {
        #[serde(flatten)]
        id: StepId,
        /// Opaque to the host, in hex.
        receipt: String,
        /// What the step ran with.
        inputs: Value,
        grants: Grants,
    },
    /// Somebody undid a deployment, when the run had ended.
    DeployRolledBack {
        #[serde(flatten)]
        id: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    StepFinished {
        #[serde(flatten)]
        id: StepId,
        outcome: Outcome,
        duration_ms: u64,
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        outputs: IndexMap<String, Value>,
        #[serde(default)]
        findings: FindingCounts,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// Why it was skipped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Names of the secrets whose values were handed into the step, by [`EventKind::SecretSeen`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tainted: Vec<String>,
    },
    JobFinished {
        job: String,
        outcome: Outcome,
        duration_ms: u64,
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        outputs: IndexMap<String, Value>,
    },
    /// The run ends before its time because somebody asked for it.
    RunCancelled {
        /// Who, for people.
        by: String,
    },
    /// Something people should know that changes no verdict.
    Warning {
        message: String,
    },
    /// All that is left waits for an answer, and nobody can give it here: the process ends, the run does not.
    RunParked {
        /// Those that wait for an answer.
        jobs: Vec<String>,
        duration_ms: u64,
    },
    RunFinished {
        outcome: Outcome,
        duration_ms: u64,
    },
}
