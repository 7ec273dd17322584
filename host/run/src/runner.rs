//! What runs one step: the engine in earnest, a script in tests.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_model::event::{Change, Level, SeenBy, Stream};
use sluice_model::{Digest, Failure, Finding, Grants, Kind, Limits, PluginRef, StepId, Told};
use tokio::sync::Notify;
use tokio::sync::mpsc;

/// Runs one step to its end.
pub trait StepRunner: Send + Sync + 'static {
    /// Never panics, and returns within the call's time limit and a short grace, whatever the plugin does.
    fn run(&self, call: StepCall, says: StepEvents) -> impl Future<Output = StepReport> + Send;

    /// A port of the loopback interface for a service: the wanted one, or any that this function has not given out
    /// before. Returns at once.
    ///
    /// # Errors
    /// Why there is none, such as that something listens there.
    fn port(&self, wanted: Option<u16>) -> Result<u16, String>;
}

/// Everything that a step needs.
#[derive(Debug, Clone)]
pub struct StepCall {
    pub run: String,
    pub id: StepId,
    pub attempt: u32,
    pub plugin: PluginRef,
    pub digest: Digest,
    pub action: Action,
    /// The object of inputs, checked against the manifest.
    pub inputs: Value,
    /// JSON Schema of outputs; `None` allows any.
    pub outputs_schema: Option<Value>,
    pub grants: Grants,
    /// Variables that the workflow sets for this step; seen by programs that it runs.
    pub env: IndexMap<String, String>,
    /// Inside a called workflow: the secrets that it has, each with the name of its value; no others are there. `None`
    /// for the outermost workflow, where names are those of values.
    pub secrets: Option<BTreeMap<String, String>>,
    pub limits: Limits,
    /// Time between the request to end and the kill of programs, in milliseconds; `None` for what the runner thinks right.
    pub stop_timeout_ms: Option<u64>,
    /// The port of the service that the step is, or that it looks at.
    pub port: Option<u16>,
    /// The run so far; inside a called workflow, that workflow.
    pub summary: Summary,
    pub cancel: Cancel,
}

/// The run so far, made into JSON only when a plugin asks. Cheap to clone; displays as JSON.
#[derive(Clone)]
pub struct Summary(Arc<dyn Fn() -> Value + Send + Sync>);

impl Summary {
    pub fn new(make: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// `{id, workflow, outcome, duration-ms, jobs: {NAME: {outcome, steps: {ID: {name, outcome, findings, duration-ms,
    /// failure}}}}}`; `outcome` is what it would be if the run ended now.
    pub fn to_json(&self) -> Value {
        (self.0)()
    }
}

impl From<Value> for Summary {
    fn from(value: Value) -> Self {
        Self::new(move || value.clone())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Summary")
    }
}

/// Which function of the plugin to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The one function of the kind; for deploy, `plan` and then `apply`.
    Run(Kind),
    /// `wasi:cli/run`.
    Command,
    /// Only `plan` of a deploy plugin.
    DeployPlan,
    /// `rollback` of a deploy plugin with this receipt.
    DeployRollback(Vec<u8>),
}

/// How a step ended, before `fail-on` and `continue-on-error` are looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepReport {
    pub failure: Option<Failure>,
    pub outputs: IndexMap<String, Value>,
}

/// What a step says while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    Log {
        stream: Stream,
        level: Level,
        text: String,
    },
    Progress {
        done: u64,
        total: Option<u64>,
        message: String,
    },
    Findings(Vec<Finding>),
    Artifact {
        name: String,
        digest: Digest,
        media_type: String,
        size: u64,
    },
    /// What the host decided over something that the step asked for.
    Decided(Told),
    DeployPlanned(Vec<Change>),
    DeployApplied(Vec<u8>),
    /// The value of a secret was handed into the step.
    SecretSeen {
        secret: String,
        by: SeenBy,
    },
}

/// Where a running step says things. Cheap to clone; never blocks.
#[derive(Debug, Clone)]
pub struct StepEvents {
    id: StepId,
    sender: mpsc::UnboundedSender<(StepId, Said)>,
}

impl StepEvents {
    pub fn new(id: StepId, sender: mpsc::UnboundedSender<(StepId, Said)>) -> Self {
        Self { id, sender }
    }

    /// A listener that went away is not the step's problem.
    pub fn say(&self, said: Said) {
        let _ = self.sender.send((self.id.clone(), said));
    }
}

/// Tells running steps that the run is being cancelled. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    shared: Arc<(AtomicBool, Notify)>,
}

impl Cancel {
    pub fn cancel(&self) {
        self.shared.0.store(true, Ordering::SeqCst);
        self.shared.1.notify_waiters();
    }

    pub fn is_cancelled(&self) -> bool {
        self.shared.0.load(Ordering::SeqCst)
    }

    /// Ready once the run is being cancelled.
    pub async fn cancelled(&self) {
        let notified = self.shared.1.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        if !self.is_cancelled() {
            notified.await;
        }
    }
}
