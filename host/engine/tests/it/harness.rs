//! One step in a workspace of its own, and what it said, as text.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Value, json};
use sha2::Digest as _;
use sluice_engine::{Plugin, Protection, Settings, WasmRunner};
use sluice_model::grant::{Capability, Grant};
use sluice_model::{Digest, Grants, Kind, Limits, PluginRef, StepId};
use sluice_run::runner::{Action, Cancel, Said};
use sluice_run::{StepCall, StepEvents, StepReport, StepRunner};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::{by_hand, guests};

pub const SECRET: &str = "correct-horse-battery";

/// A runner on a fresh workspace with a file, a folder and links that lead outside.
pub struct Bench {
    pub folder: TempDir,
    pub runner: WasmRunner,
}

/// Everything compiled by this process, so that each guest is compiled once.
static CACHE: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

impl Bench {
    pub fn new() -> Self {
        Self::with_secrets(&[("TOKEN", SECRET)])
    }

    /// The same with these secrets, name and value.
    pub fn with_secrets(secrets: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("workspace");
        std::fs::create_dir_all(workspace.join("src")).unwrap();
        std::fs::write(folder.path().join("outside.txt"), "outside\n").unwrap();
        std::fs::write(workspace.join("src/a.txt"), "inside\n").unwrap();
        std::os::unix::fs::symlink("../../outside.txt", workspace.join("src/link.txt")).unwrap();
        std::os::unix::fs::symlink("..", workspace.join("out")).unwrap();
        let path = std::env::var("PATH").unwrap();
        let host_env = [("PATH", path.as_str()), ("HOME", "/nowhere"), ("VISIBLE", "seen"), ("HIDDEN", "not yours")];
        let runner = WasmRunner::new(Settings {
            workspace,
            compile_cache: Some(CACHE.path().join("cache")),
            compiler: None,
            worker: None,
            protected: sluice_engine::PROTECTED.map(str::to_owned).to_vec(),
            artifacts: folder.path().join("artifacts"),
            secrets: secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            guard: None,
            launcher: None,
            protection: Protection::Nothing,
            scratch: std::env::temp_dir(),
            host_env: HashMap::from(host_env.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        })
        .unwrap();
        for bytes in [&guests::COMMAND, &guests::TASK, &by_hand::TABLES, &by_hand::STACK] {
            // As of a manifest that declares every interface of ours.
            let declared = vec![Capability::Exec, Capability::Secrets, Capability::Artifacts];
            runner.add(Plugin { digest: digest(bytes), bytes: bytes.as_slice().into(), precompiled: None, declared });
        }
        Self { folder, runner }
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    pub async fn run(&self, call: StepCall) -> Ran {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let report = self.runner.run(call.clone(), StepEvents::new(call.id, sender)).await;
        let mut said = Vec::new();
        while let Ok((_, event)) = receiver.try_recv() {
            said.push(event);
        }
        Ran { report, said }
    }
}

pub fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(sha2::Sha256::digest(bytes).into())
}

/// A step of the command guest.
pub fn command(arguments: &[&str], grants: &[&str]) -> StepCall {
    call("command", &guests::COMMAND, Action::Command, json!({ "args": arguments }), grants)
}

/// A step of the task guest.
pub fn task(misdeed: &str, with: &str, grants: &[&str]) -> StepCall {
    call("task", &guests::TASK, Action::Run(Kind::Task), json!({ "do": misdeed, "with": with }), grants)
}

pub fn call(name: &str, bytes: &[u8], action: Action, inputs: Value, grants: &[&str]) -> StepCall {
    StepCall {
        run: "run-1".into(),
        id: StepId::new("job", "step"),
        attempt: 1,
        plugin: PluginRef::Builtin(name.into()),
        digest: digest(bytes),
        action,
        inputs,
        outputs_schema: None,
        grants: self::grants(grants),
        env: IndexMap::new(),
        secrets: None,
        limits: Limits { time_ms: 20_000, ..Limits::default() },
        stop_timeout_ms: None,
        port: None,
        summary: json!({}).into(),
        cancel: Cancel::default(),
    }
}

/// Grants from `capability: spelling`.
pub fn grants(spellings: &[&str]) -> Grants {
    let mut grants = Grants::default();
    for spelling in spellings {
        let (capability, spelling) = spelling.split_once(": ").expect("`capability: grant`");
        let capability = Capability::parse(capability).expect("a capability");
        grants.add(Grant::parse(capability, spelling).expect("a grant"));
    }
    grants
}

/// A step that ran.
pub struct Ran {
    pub report: StepReport,
    pub said: Vec<Said>,
}

impl Ran {
    /// How it ended and what it said, with logs joined.
    pub fn text(&self) -> String {
        let mut text = match &self.report.failure {
            None => "passed".to_owned(),
            Some(failure) => {
                let kind = serde_json::to_value(failure.kind).unwrap();
                let mut text = format!("{}: {}", kind.as_str().unwrap(), failure.message);
                // What was granted is told in a test of its own.
                for cause in failure.causes.iter().filter(|cause| !cause.starts_with("the step was granted")) {
                    write!(text, "\n| {cause}").unwrap();
                }
                if let Some(help) = &failure.help {
                    let help = help.split("\n`grants` only narrow").next().unwrap_or_default();
                    write!(text, "\nhelp: {help}").unwrap();
                }
                if let Some(pause) = failure.retry_after_ms {
                    write!(text, "\nretry after {pause} ms").unwrap();
                }
                text
            }
        };
        for (name, value) in &self.report.outputs {
            write!(text, "\noutput {name} = {value}").unwrap();
        }
        for said in &self.said {
            match said {
                Said::Log { text: line, .. } => write!(text, "\n> {line}").unwrap(),
                Said::Artifact { name, media_type, size, .. } => {
                    write!(text, "\nartifact {name} {media_type} {size}").unwrap();
                }
                // Tests of decisions look at them one by one.
                Said::Decided(_) => {}
                Said::SecretSeen { secret, by } => write!(text, "\nseen {secret} by {by:?}").unwrap(),
                other => write!(text, "\n{other:?}").unwrap(),
            }
        }
        text
    }
}

/// A step that must not hang, whatever it does: ended within its time and the graces that the engine promises.
pub async fn in_time<T>(limit_ms: u64, work: impl Future<Output = T>) -> T {
    let bound = Duration::from_millis(limit_ms) + Duration::from_secs(8);
    tokio::time::timeout(bound, work).await.expect("the step ends in time")
}
