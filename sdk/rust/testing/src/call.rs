//! One call of a plugin: a workflow of one step.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use indexmap::IndexMap;
use serde_json::{Value, json};
use sluice_capability_artifacts::Store;
use sluice_engine::{Protection, SecretValues, Settings, WasmRunner, inspect};
use sluice_model::event::EventKind;
use sluice_model::{Digest, Event, Manifest, PluginRef, Problem, Source};
use sluice_plan::{Facts, Plan, PluginInfo, Plugins, SharedPolicies};
use sluice_run::Options;

use crate::component::Plugin;
use crate::outcome::{Artifact, End, Log, Outcome};

/// The component's place in the workflow. It is never looked for: its bytes are at hand.
const REFERENCE: &str = "./plugin.wasm";
/// The only job.
const JOB: &str = "test";

/// A call about to be made.
#[derive(Debug, Clone)]
pub struct Call {
    bytes: Vec<u8>,
    inputs: Value,
    workspace: Option<PathBuf>,
    /// By capability; an empty list grants nothing of it.
    grants: IndexMap<String, Vec<String>>,
    secrets: Vec<(String, String)>,
    env: IndexMap<String, String>,
    dry_run: bool,
}

impl Call {
    pub(crate) fn new(plugin: &Plugin) -> Self {
        Self {
            bytes: plugin.bytes.clone(),
            inputs: json!({}),
            workspace: None,
            grants: IndexMap::new(),
            secrets: Vec::new(),
            env: IndexMap::new(),
            dry_run: false,
        }
    }

    /// The inputs, as a workflow's `with` gives them: the manifest's defaults are added.
    #[must_use]
    pub fn inputs(mut self, inputs: Value) -> Self {
        self.inputs = inputs;
        self
    }

    /// The folder that the plugin works in. Without one it gets an empty one.
    #[must_use]
    pub fn workspace(mut self, folder: impl AsRef<Path>) -> Self {
        self.workspace = Some(folder.as_ref().to_owned());
        self
    }

    /// Narrows a capability to this grant, spelled as in `files: read docs`; several add up.
    ///
    /// # Panics
    /// When it does not begin with a capability and a colon.
    #[must_use]
    pub fn grant(mut self, grant: &str) -> Self {
        let (capability, spelling) = grant.split_once(": ").expect("a grant looks like `files: read docs`");
        self.grants.entry(capability.to_owned()).or_default().push(spelling.to_owned());
        self
    }

    /// Grants nothing of a capability, such as `http`.
    #[must_use]
    pub fn deny(mut self, capability: &str) -> Self {
        self.grants.insert(capability.to_owned(), Vec::new());
        self
    }

    /// Gives a secret a value. The step may use it only if the manifest declares it.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a variable of the step, which programs that the plugin runs see.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Lets a deploy plugin only plan.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Makes the call and waits for its end.
    ///
    /// # Panics
    /// When the machine does not play along: no temporary folder, no threads, no such workspace.
    pub fn run(self) -> Outcome {
        let mut outcome = Outcome::new();
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let (plan, component) = match self.plan() {
            Ok(planned) => planned,
            Err(problems) => {
                outcome.result = Err(End::Refused(problems));
                return outcome;
            }
        };
        let decided = plan.all_steps().find_map(|step| step.decided.as_ref());
        outcome.grants = decided
            .iter()
            .flat_map(|decided| decided.grants.iter())
            .map(|grant| format!("{}: {grant}", grant.capability()))
            .collect();

        let workspace = self.workspace.unwrap_or_else(|| {
            let folder = scratch.path().join("workspace");
            std::fs::create_dir(&folder).expect("a folder in a temporary folder");
            folder
        });
        let artifacts = scratch.path().join("artifacts");
        let runner = WasmRunner::new(Settings {
            workspace,
            compile_cache: Some(std::env::temp_dir().join("sluice-sdk-testing")),
            compiler: None,
            worker: None,
            protected: Vec::new(),
            artifacts: artifacts.clone(),
            secrets: self.secrets.into_iter().collect::<SecretValues>(),
            guard: None,
            launcher: None,
            protection: Protection::Nothing,
            scratch: std::env::temp_dir(),
            host_env: std::env::vars().collect::<HashMap<_, _>>(),
        })
        .expect("the engine starts");
        runner.add(component);
        let events = events(plan, runner, self.dry_run);
        for event in events {
            hear(&mut outcome, event.kind, &Store::new(&artifacts));
        }
        outcome
    }

    /// The way of every step: workflow, manifest, plan.
    fn plan(&self) -> Result<(Plan, sluice_engine::Plugin), Vec<Problem>> {
        let inspection = inspect(&self.bytes).map_err(|error| {
            let problem = Problem::new(error.code, error.message);
            vec![error.help.into_iter().fold(problem, Problem::help)]
        })?;
        let text = inspection.manifest_text.as_deref();
        let manifest = text.map(|text| Manifest::parse(&Source::new("plugin.yaml", text))).transpose()?;
        let emits_findings = manifest.iter().flat_map(|manifest| &manifest.kinds).any(|kind| kind.emits_findings());
        let declared =
            manifest.iter().flat_map(|manifest| &manifest.capabilities).map(|entry| entry.capability).collect();
        let component = sluice_engine::Plugin {
            digest: inspection.digest,
            bytes: self.bytes.clone().into(),
            precompiled: None,
            declared,
        };
        let reference = PluginRef::Path(REFERENCE.to_owned());
        let info = PluginInfo {
            reference: reference.clone(),
            digest: inspection.digest,
            manifest,
            exports: inspection.exports,
            command: inspection.command,
            imports: inspection.imports,
        };
        let (workflow, problems) = sluice_workflow::parse(&self.workflow(emits_findings));
        let workflow = workflow.filter(|_| problems.is_empty()).ok_or(problems)?;
        let facts = Facts { run: json!({"id": JOB, "workflow": workflow.name}), ..Facts::default() };
        let plan = sluice_plan::plan(
            &workflow,
            &Plugins::from([(reference, Ok(info))]),
            IndexMap::new(),
            facts,
            &SharedPolicies::default(),
        )?;
        Ok((plan, component))
    }

    /// JSON is YAML.
    fn workflow(&self, emits_findings: bool) -> Source {
        let mut step =
            json!({"id": "plugin", "uses": REFERENCE, "with": self.inputs, "grants": self.grants, "env": self.env});
        if emits_findings {
            step["fail-on"] = "never".into();
        }
        Source::new("the call", json!({"name": JOB, "jobs": {JOB: {"steps": [step]}}}).to_string())
    }
}

fn events(plan: Plan, runner: WasmRunner, dry_run: bool) -> Vec<Event> {
    let now = || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    };
    let options = Options { dry_run, ..Options::new(JOB, NonZeroUsize::MIN, now) };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let mut events = Vec::new();
    let (_control, orders) = tokio::sync::mpsc::channel(1);
    let run =
        sluice_run::run(Arc::new(plan), Arc::new(runner), options, orders, |event: &Event| events.push(event.clone()));
    runtime.block_on(run);
    // A step that hangs in the kernel must not hang the test.
    runtime.shutdown_background();
    events
}

fn hear(outcome: &mut Outcome, event: EventKind, artifacts: &Store) {
    match event {
        EventKind::Log { stream, level, text, .. } => outcome.logs.push(Log { stream, level, text }),
        EventKind::Findings { findings, .. } => outcome.findings.extend(findings),
        EventKind::Artifact { name, digest, media_type, .. } => {
            let bytes = read(artifacts, &digest).expect("a published artifact is readable");
            outcome.artifacts.push(Artifact { name, media_type, digest, bytes });
        }
        EventKind::DeployPlanned { changes, .. } => outcome.changes.extend(changes),
        EventKind::StepFinished { outputs, failure, .. } => {
            outcome.outputs = outputs;
            outcome.result = failure.map_or(Ok(()), |failure| Err(End::Failed(failure)));
        }
        _ => {}
    }
}

fn read(artifacts: &Store, digest: &Digest) -> Result<Vec<u8>, String> {
    let mut reader = artifacts.open(digest)?.ok_or("it is not there")?;
    let mut bytes = Vec::new();
    loop {
        let chunk = reader.read(1 << 20)?;
        if chunk.is_empty() {
            return Ok(bytes);
        }
        bytes.extend(chunk);
    }
}
