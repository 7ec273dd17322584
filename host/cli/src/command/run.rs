//! `sluice run`

use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use sluice_engine::{Plugin, SecretValues, Settings, WasmRunner};
use sluice_model::{Event, Outcome, Problem};
use sluice_plan::Selection;
use sluice_record::{RecordError, Recorder, RunId};
use sluice_registry::Component;
use sluice_run::{Control, Options};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::args::{RunArgs, SelectArgs};
use crate::binding::BoundPlan;
use crate::discover::{self, Found};
use crate::output::Output;
use crate::prepare::{self, Prepared};
use crate::screen::{Mode, Screen, now};
use crate::{exit, host, retention};

pub fn run(args: &RunArgs, from: &Path, output: &Output) -> u8 {
    let id = match run_id() {
        Ok(id) => id,
        Err(problem) => return internal(problem, output),
    };
    let prepared = match &args.plan {
        Some(file) => BoundPlan::read(&from.join(file), file).and_then(|bound| bound.again(from, id)),
        None => {
            discover::find(from, args.workflow.workflow.as_deref()).map_err(|problem| vec![problem]).and_then(|found| {
                let selection = args.select.selection();
                prepare::prepare(&found, &args.workflow.inputs, &selection, id.as_str())
                    .map(|prepared| (found, prepared, id))
            })
        }
    };
    match prepared {
        Ok((found, prepared, id)) => execute(args, &found, prepared, id, output, std::future::pending())
            .unwrap_or_else(|problem| internal(problem, output)),
        Err(problems) => {
            output.problems(&problems);
            exit::REFUSED
        }
    }
}

pub fn internal(problem: Problem, output: &Output) -> u8 {
    output.problems(&[problem]);
    exit::INTERNAL
}

pub fn run_id() -> Result<RunId, Problem> {
    let mut random = [0];
    getrandom::fill(&mut random)
        .map_err(|error| Problem::new("host::internal", "the system gives no random bytes").cause(error.to_string()))?;
    Ok(RunId::new(now(), random[0]))
}

/// Runs a plan to its end. When `stop` is ready the run is cancelled in order.
pub fn execute(
    args: &RunArgs,
    found: &Found,
    prepared: Prepared,
    id: RunId,
    output: &Output,
    stop: impl Future<Output = ()>,
) -> Result<u8, Problem> {
    let runner = engine(&found.workspace)?;
    for (reference, component) in prepared.components {
        let declared = host::declared(&prepared.plan, &reference);
        runner.add(plugin(component, declared));
    }
    let runtime = host::runtime()?;
    let mut record = Record::create(found, &prepared.plan, id.clone());
    if let Some(error @ RecordError::Exists { .. }) = record.error.as_ref().filter(|_| args.plan.is_some()) {
        output.problems(&[Problem::from(error)]);
        return Ok(exit::REFUSED);
    }
    let mode = match (args.json, args.plain || !output.interactive) {
        (true, _) => Mode::Json,
        (false, true) => Mode::Plain,
        (false, false) => Mode::Live,
    };
    let shown = record.recorder.as_ref().map(|_| format!(".sluice/runs/{}", id.as_str()));
    let mut screen = Screen::new(mode, output, shown, &found.workspace);
    let options = Options {
        run_id: id.as_str().to_owned(),
        max_parallel: parallel(args.jobs),
        dry_run: args.dry_run,
        clock: Arc::new(now),
    };
    let signalled = Arc::new(OnceLock::new());
    let outcome = runtime.block_on(async {
        let (orders, control) = mpsc::channel(2);
        tokio::spawn(listen(orders.clone(), signalled.clone()));
        let sink = |event: &Event| {
            record.append(event);
            screen.on_event(event);
        };
        let run = sluice_run::run(Arc::new(prepared.plan), Arc::new(runner), options, control, sink);
        tokio::pin!(run);
        tokio::select! {
            outcome = &mut run => outcome,
            () = stop => {
                // The run may have ended this moment.
                let _ = orders.send(Control::Cancel).await;
                run.await
            }
        }
    });
    let unshown = screen.finish();
    match record.finish() {
        Some(error) => {
            output.problems(&[error.help("the verdict of the run stands; it cannot be looked at again")]);
        }
        None => output.problems(&retention::apply(&found.workspace, &prepared.workflow)),
    }
    if let Some(error) = unshown {
        output.problems(&[
            Problem::new("host::output", "part of the output could not be written").cause(error.to_string())
        ]);
    }
    // A step that hangs in the kernel keeps its thread; nobody waits for it.
    runtime.shutdown_background();
    Ok(match (outcome, signalled.get()) {
        (_, Some(code)) => *code,
        (outcome, None) if outcome.is_good() => exit::PASSED,
        (Outcome::Failed | Outcome::Cancelled, None) => exit::FAILED,
        _ => exit::INTERNAL,
    })
}

impl SelectArgs {
    pub fn selection(&self) -> Selection {
        Selection { jobs: self.only.clone(), step: self.step.clone() }
    }
}

/// The engine, with what this machine has.
pub fn engine(workspace: &Path) -> Result<WasmRunner, Problem> {
    WasmRunner::new(Settings {
        workspace: workspace.to_owned(),
        compile_cache: host::cache_folder().map(|folder| folder.join("compiled")),
        artifacts: workspace.join(".sluice/artifacts"),
        secrets: secrets(),
        host_env: std::env::vars().collect(),
    })
    .map_err(|reason| Problem::new("host::internal", "the engine could not be started").cause(reason))
}

/// `SLUICE_SECRET_TOKEN=x` makes the secret `TOKEN`.
fn secrets() -> SecretValues {
    const PREFIX: &str = "SLUICE_SECRET_";
    std::env::vars().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value))).collect()
}

/// What the engine needs to know of a component.
pub fn plugin(component: Component, declared: Vec<sluice_model::grant::Capability>) -> Plugin {
    let digest = component.digest();
    match component {
        Component::Builtin(builtin) => {
            Plugin { digest, bytes: builtin.wasm.into(), precompiled: Some(builtin.precompiled), declared }
        }
        Component::File { bytes, .. } => Plugin { digest, bytes: bytes.into(), precompiled: None, declared },
    }
}

fn parallel(jobs: Option<u16>) -> NonZeroUsize {
    let wanted = jobs.and_then(|jobs| NonZeroUsize::new(jobs.into()));
    wanted.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// Turns the first SIGINT or SIGTERM into an orderly end and any further one into an immediate end. `first` becomes the
/// exit code that stands for the first.
async fn listen(orders: mpsc::Sender<Control>, first: Arc<OnceLock<u8>>) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        let code = tokio::select! {
            _ = interrupt.recv() => exit::INTERRUPTED,
            _ = terminate.recv() => exit::TERMINATED,
        };
        let order = if first.set(code).is_ok() { Control::Cancel } else { Control::Kill };
        if orders.send(order).await.is_err() {
            return Ok(());
        }
    }
}

/// The record of a run. What goes wrong with it is kept for the end.
struct Record {
    recorder: Option<Recorder>,
    error: Option<RecordError>,
}

impl Record {
    fn create(found: &Found, plan: &sluice_plan::Plan, id: RunId) -> Self {
        let json = plan.to_json().to_string().into_bytes();
        match Recorder::create(&found.workspace.join(".sluice"), id, json, plan.source.text()) {
            Ok(recorder) => Self { recorder: Some(recorder), error: None },
            Err(error) => Self { recorder: None, error: Some(error) },
        }
    }

    fn append(&mut self, event: &Event) {
        if let Some(recorder) = &mut self.recorder {
            recorder.append(event);
        }
    }

    fn finish(self) -> Option<Problem> {
        let error = match self.recorder {
            Some(recorder) => recorder.finish().err(),
            None => self.error,
        }?;
        let mut problem = Problem::from(&error);
        problem.message = format!("the record of this run is incomplete: {}", problem.message);
        Some(problem)
    }
}
