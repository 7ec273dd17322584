//! What one step costs that does nothing: `cargo bench -p sluice-engine`. Budget: 0.15 ms a step.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;
use sha2::Digest as _;
use sluice_engine::{Plugin, Protection, SecretValues, Settings, WasmRunner};
use sluice_model::grant::Capability;
use sluice_model::{Digest, Grants, Kind, Limits, PluginRef, StepId};
use sluice_run::runner::{Action, Cancel};
use sluice_run::{StepCall, StepEvents, StepRunner};
use tokio::sync::mpsc;

#[path = "../tests/it/guests.rs"]
mod guests;

const STEPS: usize = 2_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(bench());
}

async fn bench() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let started = Instant::now();
    let runner = WasmRunner::new(Settings {
        workspace: folder.path().to_owned(),
        compile_cache: Some(folder.path().join("cache")),
        compiler: None,
        worker: None,
        protected: Vec::new(),
        artifacts: folder.path().join("artifacts"),
        secrets: SecretValues::default(),
        guard: None,
        launcher: None,
        protection: Protection::Nothing,
        scratch: std::env::temp_dir(),
        host_env: HashMap::from([("PATH".to_owned(), path)]),
    })
    .expect("a runner");
    println!("new runner                  {:>9.3?}", started.elapsed());

    let task = call(&guests::TASK, Action::Run(Kind::Task), &["files: read ."]);
    let command = call(&guests::COMMAND, Action::Command, &[]);
    for (name, step) in [("task", &task), ("command", &command)] {
        let started = Instant::now();
        one(&runner, step).await;
        println!("first {name:<8} (compiled)   {:>9.3?}", started.elapsed());
        let mut times: Vec<Duration> = Vec::with_capacity(STEPS);
        let started = Instant::now();
        for _ in 0..STEPS {
            let started = Instant::now();
            one(&runner, step).await;
            times.push(started.elapsed());
        }
        let all = started.elapsed();
        times.sort_unstable();
        println!("{name:<8} one after another  {:>9.3?} median, {:.3?} mean", times[STEPS / 2], all / STEPS as u32);
        let started = Instant::now();
        for _ in 0..STEPS / 8 {
            tokio::join!(
                one(&runner, step),
                one(&runner, step),
                one(&runner, step),
                one(&runner, step),
                one(&runner, step),
                one(&runner, step),
                one(&runner, step),
                one(&runner, step),
            );
        }
        println!("{name:<8} eight at a time    {:>9.3?} mean", started.elapsed() / STEPS as u32);
    }
}

async fn one(runner: &WasmRunner, step: &(Plugin, StepCall)) {
    let (plugin, call) = step;
    runner.add(plugin.clone());
    let (sender, _receiver) = mpsc::unbounded_channel();
    let report = runner.run(call.clone(), StepEvents::new(call.id.clone(), sender)).await;
    assert_eq!(report.failure, None);
}

fn call(bytes: &'static [u8], action: Action, files: &[&str]) -> (Plugin, StepCall) {
    let digest = Digest::from_bytes(sha2::Sha256::digest(bytes).into());
    let mut grants = Grants::default();
    for spelling in files.iter().filter_map(|spelling| spelling.strip_prefix("files: ")) {
        grants.files.push(spelling.parse().expect("a grant"));
    }
    let declared = vec![Capability::Exec, Capability::Secrets, Capability::Artifacts];
    let inputs = if action == Action::Command { json!({ "args": ["nothing"] }) } else { json!({ "do": "nothing" }) };
    let call = StepCall {
        run: "run".into(),
        id: StepId::new("job", "step"),
        attempt: 1,
        plugin: PluginRef::Builtin("nothing".into()),
        digest,
        action,
        inputs,
        outputs_schema: None,
        grants,
        env: Default::default(),
        secrets: None,
        limits: Limits::default(),
        stop_timeout_ms: None,
        port: None,
        summary: json!({}).into(),
        cancel: Cancel::default(),
    };
    (Plugin { digest, bytes: bytes.into(), precompiled: None, declared }, call)
}
