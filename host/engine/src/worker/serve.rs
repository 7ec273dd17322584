//! The worker's side.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sluice_capability_exec::{GuardCommand, LauncherCommand};
use sluice_capability_secrets::SecretValues;
use sluice_run::runner::{Cancel, Summary};
use sluice_run::{StepCall, StepEvents, StepReport, StepRunner};
use tokio::runtime::Builder;

use super::restrict::restrict;
use super::wire::{Call, Order, Reply, Start, receive_blocking, send_blocking};
use crate::plugin::{Code, Plugin};
use crate::runner::{Protection, Settings, WasmRunner};

/// What a worker does until its input ends: restricts itself if it is to be `confined`, then runs the steps that it is told.
/// `guard` and `launcher` are as in [`Settings`].
///
/// # Errors
/// Why it cannot go on.
pub fn serve(
    mut input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    guard: Option<GuardCommand>,
    launcher: Option<LauncherCommand>,
    confined: bool,
) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let Some(start) = receive_blocking(&mut input).map_err(text)? else { return Ok(()) };
    let start: Start = serde_json::from_slice(&start).map_err(|error| error.to_string())?;
    let Some(code) = receive_blocking(&mut input).map_err(text)? else { return Ok(()) };
    // Before there is another thread, and before anything of the plugin is looked at.
    if confined {
        restrict(&start)?;
    }
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(text)?;
    let entered = runtime.enter();
    let runner = WasmRunner::new(Settings {
        workspace: start.workspace.clone(),
        compile_cache: None,
        compiler: None,
        worker: None,
        protected: start.protected.clone(),
        artifacts: start.artifacts.clone(),
        secrets: SecretValues::from_iter(start.secrets.iter().cloned()),
        guard,
        launcher,
        protection: if start.protects { Protection::Inherited } else { Protection::Nothing },
        scratch: start.scratch.clone(),
        host_env: start.host_env(),
    })?;
    drop(entered);
    runner.add(Plugin {
        digest: start.digest,
        bytes: Vec::new().into(),
        precompiled: Some(Code::Owned(code.into())),
        declared: start.declared.clone(),
    });
    let output = Arc::new(Mutex::new(output));
    let (orders, summaries) = listen(input);
    let summaries = Arc::new(Mutex::new(summaries));
    while let Ok((call, cancel)) = orders.recv() {
        let want = (Arc::clone(&output), Arc::clone(&summaries));
        let summary = Summary::new(move || ask(&want.0, &want.1));
        let call = step_call(*call, &start, summary, cancel);
        let report = runtime.block_on(run(&runner, call, &output));
        reply(&output, &Reply::Report(report));
    }
    // A step that hangs in the kernel keeps its thread; nobody waits for it.
    runtime.shutdown_background();
    Ok(())
}

type Calls = Receiver<(Box<Call>, Cancel)>;

/// Reads orders on a thread of its own, so that a step can be cancelled while it runs.
fn listen(mut input: impl Read + Send + 'static) -> (Calls, Receiver<Value>) {
    let (calls, next) = channel();
    let (summaries, summary): (Sender<Value>, _) = channel();
    std::thread::spawn(move || {
        let mut current = Cancel::default();
        while let Ok(Some(bytes)) = receive_blocking(&mut input) {
            match serde_json::from_slice(&bytes) {
                Ok(Order::Run(call)) => {
                    current = Cancel::default();
                    if calls.send((call, current.clone())).is_err() {
                        return;
                    }
                }
                Ok(Order::Summary(value)) => drop(summaries.send(value)),
                Ok(Order::Cancel) => current.cancel(),
                Err(_) => return,
            }
        }
        // Nobody is there any more to hear how it ended.
        current.cancel();
    });
    (next, summary)
}

fn ask(output: &Mutex<impl Write>, summaries: &Mutex<Receiver<Value>>) -> Value {
    let summaries = summaries.lock().unwrap_or_else(PoisonError::into_inner);
    reply(output, &Reply::WantSummary);
    summaries.recv().unwrap_or_default()
}

async fn run(runner: &WasmRunner, call: StepCall, output: &Arc<Mutex<impl Write + Send + 'static>>) -> StepReport {
    let (sender, mut said) = tokio::sync::mpsc::unbounded_channel();
    let events = StepEvents::new(call.id.clone(), sender);
    let output = Arc::clone(output);
    let telling = tokio::task::spawn_blocking(move || {
        while let Some((_, said)) = said.blocking_recv() {
            reply(&output, &Reply::Said(said));
        }
    });
    let report = runner.run(call, events).await;
    // Everything that was said comes before the report. What a thread that hangs holds keeps the channel open.
    let _ = tokio::time::timeout(std::time::Duration::from_millis(200), telling).await;
    report
}

fn reply(output: &Mutex<impl Write>, reply: &Reply) {
    // When the other side is gone, the end of the input says so too.
    let _ = send_blocking(&mut *output.lock().unwrap_or_else(PoisonError::into_inner), reply);
}

fn step_call(call: Call, start: &Start, summary: Summary, cancel: Cancel) -> StepCall {
    let Call { run, id, attempt, action, inputs, outputs_schema, grants, env, limits, stop_timeout_ms, port } = call;
    StepCall {
        run,
        id,
        attempt,
        plugin: start.plugin.clone(),
        digest: start.digest,
        action,
        inputs,
        outputs_schema,
        grants,
        env,
        // They came under the names that the step knows.
        secrets: None,
        limits,
        stop_timeout_ms,
        port,
        summary,
        cancel,
    }
}
