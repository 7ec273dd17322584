//! The side of the run.

use std::collections::HashMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sluice_model::{Failure, FailureKind};
use sluice_run::runner::Said;
use sluice_run::{StepCall, StepReport};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use super::WorkerCommand;
use super::wire::{Call, Order, Reply, Start, receive, send, send_bytes};
use crate::failure;
use crate::voice::LimitReached;

/// Workers of one kind that wait for the next step.
const IDLE: usize = 8;
/// How long a worker that was told to end may take to.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// The exit code of a worker that could not begin, and said why.
const NOT_READY: i32 = 70;
/// How much of what a worker says of itself is kept, in bytes.
const WORDS: u64 = 4 << 10;

/// The workers of one run.
#[derive(Debug)]
pub struct Workers {
    command: WorkerCommand,
    /// By their start, as JSON.
    idle: Mutex<HashMap<Vec<u8>, Vec<Worker>>>,
}

/// A process. Dropping it kills it.
#[derive(Debug)]
struct Worker {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    words: Option<ChildStderr>,
    /// Removed when the worker is gone.
    _scratch: TempDir,
}

impl Workers {
    pub fn new(command: WorkerCommand) -> Self {
        Self { command, idle: Mutex::default() }
    }

    /// Runs a step. `says` gets what it says as it comes; `time` is the longest that the worker may take in all.
    ///
    /// `scratch` is where the worker gets a folder of its own.
    pub async fn run(
        &self,
        start: Start,
        scratch: &Path,
        code: &[u8],
        call: &StepCall,
        time: Duration,
        says: impl Fn(Said) -> Result<(), LimitReached>,
    ) -> StepReport {
        let broken = |error: io::Error| {
            let message = format!("the process for plugin `{}` could not be used", call.plugin);
            failed(Failure::new(FailureKind::Internal, message).cause(error.to_string()))
        };
        let kind = match serde_json::to_vec(&start) {
            Ok(kind) => kind,
            Err(error) => return broken(error.into()),
        };
        let mut worker = match self.take(&kind, start, scratch, code).await {
            Ok(worker) => worker,
            Err(error) => return broken(error),
        };
        let order = Order::Run(Box::new(wire_call(call)));
        // A worker that could not start says why at its end.
        let sent = send(&mut worker.input, &order).await;
        let ended = match sent {
            Ok(()) => tokio::select! {
                ended = worker.listen(call, says) => ended,
                () = sleep(time) => {
                    return failed(failure::timed_out(&call.plugin, Duration::from_millis(call.limits.time_ms), &[]));
                }
            },
            Err(_) => Ok(None),
        };
        match ended {
            Ok(Some(Ok(report))) => {
                self.keep(kind, worker);
                report
            }
            Ok(Some(Err(limit))) => failed(failure::over_limit(&call.plugin, &limit.0)),
            Ok(None) => failed(worker.last_words(call).await),
            Err(error) => broken(error),
        }
    }

    async fn take(&self, kind: &[u8], start: Start, scratch: &Path, code: &[u8]) -> io::Result<Worker> {
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.get_mut(kind).and_then(Vec::pop)
        };
        match idle {
            Some(worker) => Ok(worker),
            None => Worker::start(&self.command, start, scratch, code).await,
        }
    }

    fn keep(&self, kind: Vec<u8>, worker: Worker) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let same = idle.entry(kind).or_default();
        if same.len() < IDLE {
            same.push(worker);
        }
    }
}

impl Worker {
    async fn start(command: &WorkerCommand, start: Start, scratch: &Path, code: &[u8]) -> io::Result<Self> {
        let scratch = tempfile::Builder::new().prefix("sluice-").tempdir_in(scratch)?;
        let start = Start { scratch: scratch.path().to_owned(), ..start };
        let mut process = Command::new(&command.program)
            .args(&command.arguments)
            .env_clear()
            .envs(start.certificates.iter().cloned())
            .current_dir("/")
            .process_group(0)
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("the process has no pipes");
        let (mut input, output) =
            (process.stdin.take().ok_or_else(missing)?, process.stdout.take().ok_or_else(missing)?);
        let words = process.stderr.take();
        // One that ends before it heard all says why at its end.
        let _ = send(&mut input, &start).await;
        let _ = send_bytes(&mut input, code).await;
        Ok(Self { process, input, output: BufReader::new(output), words, _scratch: scratch })
    }

    /// Hears the worker out; `None` if it ended before it reported.
    async fn listen(
        &mut self,
        call: &StepCall,
        says: impl Fn(Said) -> Result<(), LimitReached>,
    ) -> io::Result<Option<Result<StepReport, LimitReached>>> {
        let mut cancelled = false;
        loop {
            let reply = tokio::select! {
                biased;
                () = call.cancel.cancelled(), if !cancelled => {
                    cancelled = true;
                    send(&mut self.input, &Order::Cancel).await?;
                    continue;
                }
                // Waiting for the first byte may be given up and taken up again; a frame that has begun is read to its end.
                ready = wait_for_byte(&mut self.output) => match ready? {
                    true => receive(&mut self.output).await?,
                    false => None,
                },
            };
            match reply {
                None => return Ok(None),
                Some(Reply::Said(said)) => {
                    if let Err(limit) = says(said) {
                        return Ok(Some(Err(limit)));
                    }
                }
                Some(Reply::WantSummary) => {
                    send(&mut self.input, &Order::Summary(call.summary.to_json())).await?;
                }
                Some(Reply::Report(report)) => return Ok(Some(Ok(report))),
            }
        }
    }

    /// Why a worker ended that should not have.
    async fn last_words(mut self, call: &StepCall) -> Failure {
        let status = timeout(LAST_WORDS, self.process.wait()).await.ok().and_then(Result::ok);
        let mut words = Vec::new();
        if let Some(stream) = self.words.take() {
            // What it started may keep the stream open.
            let _ = timeout(LAST_WORDS, stream.take(WORDS).read_to_end(&mut words)).await;
        }
        let failure = match status {
            Some(status) if status.code() == Some(NOT_READY) => {
                let message = format!("the process for plugin `{}` could not begin", call.plugin);
                Failure::new(FailureKind::Load, message)
            }
            status => {
                let how = status.map_or_else(|| "it went silent".to_owned(), how);
                Failure::new(FailureKind::Trap, format!("the process for plugin `{}` ended: {how}", call.plugin))
            }
        };
        match String::from_utf8_lossy(&words).trim_end() {
            "" => failure,
            words => failure.cause(words.to_owned()),
        }
    }
}

/// Whether there is a byte; `false` at the end.
async fn wait_for_byte(input: &mut BufReader<ChildStdout>) -> io::Result<bool> {
    use tokio::io::AsyncBufReadExt;
    Ok(!input.fill_buf().await?.is_empty())
}

fn how(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal) if signal == nix::libc::SIGSYS => "it made a system call that it may not make".to_owned(),
        Some(signal) => format!("signal {signal}"),
        None => status.to_string(),
    }
}

fn failed(failure: Failure) -> StepReport {
    StepReport { failure: Some(failure), outputs: Default::default() }
}

fn wire_call(call: &StepCall) -> Call {
    Call {
        run: call.run.clone(),
        id: call.id.clone(),
        attempt: call.attempt,
        action: call.action.clone(),
        inputs: call.inputs.clone(),
        outputs_schema: call.outputs_schema.clone(),
        grants: call.grants.clone(),
        env: call.env.clone(),
        limits: call.limits.clone(),
        stop_timeout_ms: call.stop_timeout_ms,
        port: call.port,
    }
}
