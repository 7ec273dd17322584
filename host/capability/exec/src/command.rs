use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use sluice_capability_secrets::Mask;
use sluice_confine::{Confinement, END_NOW, FOR_PROGRAM, Launch, NOT_STARTED, NOT_STARTED_BECAUSE};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::time::timeout;

use crate::confine::LauncherCommand;
use crate::host::Pipe;
use crate::processes::{GRACE, MARK, Processes};

/// How much of each output stream is kept, from its end, in bytes.
const KEPT: usize = 1 << 20;
/// How long the output of a program that has ended is read on.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A program about to be run.
#[derive(Debug, Default)]
pub struct Command {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Variables that get the value of a secret: name, secret.
    pub(crate) secrets: Vec<(String, String)>,
    pub(crate) directory: Option<String>,
    pub(crate) stdin: Vec<u8>,
    /// The longest that it may run.
    pub(crate) time_limit: Option<Duration>,
    /// Whether its output stays out of the log.
    pub(crate) quiet: bool,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Everything about a program that was checked.
pub(crate) struct Checked<'a> {
    pub program: &'a Path,
    pub directory: &'a Path,
    pub environment: Vec<(String, String)>,
    /// `None` runs it with all rights of the account.
    pub confined: Option<Launched<'a>>,
}

/// How a confined program is started.
pub(crate) struct Launched<'a> {
    pub launcher: &'a LauncherCommand,
    pub confinement: Confinement,
}

/// Why a program did not run to its end.
pub(crate) enum Stopped {
    /// The system could not start it or lost it.
    System(io::Error),
    /// It could not be confined, or not be started so; in words.
    NotStarted(String),
    /// It ran for longer than this, which was its limit, and was ended.
    Overdue(Duration),
    /// The listener to its output refused more.
    Listener(wasmtime::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl Command {
    /// Runs to the end. `listen` gets the output as it comes.
    pub(crate) async fn run(
        &mut self,
        checked: Checked<'_>,
        processes: &Processes,
        listen: &(dyn Fn(Pipe, &[u8]) -> wasmtime::Result<()> + Send + Sync),
        mask: &Mask,
    ) -> Result<ExitStatus, Stopped> {
        self.stdout.clear();
        self.stderr.clear();
        let launched = checked.confined.is_some();
        let mut command = command(&checked, processes.mark()).map_err(Stopped::System)?;
        command
            .args(&self.arguments)
            .current_dir(checked.directory)
            .process_group(0)
            .stdin(if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        die_with_this_process(&mut command, if launched { END_NOW } else { Signal::SIGKILL });
        let (mut child, leader) = processes.start(launched, || start(&mut command))?;

        let stdin = child.stdin.take();
        let input = std::mem::take(&mut self.stdin);
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program need not read all of its input.
                let _ = stdin.write_all(&input).await;
            }
            Ok(())
        };
        let quiet = self.quiet;
        let listen = |pipe, bytes: &[u8]| if quiet { Ok(()) } else { listen(pipe, bytes) };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (exited, has_exited) = tokio::sync::oneshot::channel::<()>();
        let keep = KEPT + mask.holds_back();
        let read = async {
            let read = async {
                tokio::try_join!(
                    read_all(stdout, &mut self.stdout, keep, |bytes| listen(Pipe::Stdout, bytes)),
                    read_all(stderr, &mut self.stderr, keep, |bytes| listen(Pipe::Stderr, bytes)),
                )
            };
            // What left the group keeps the streams open for as long as it likes; it is ended with the step.
            let patience = async {
                let _ = has_exited.await;
                tokio::time::sleep(LAST_WORDS).await;
            };
            tokio::select! {
                read = read => read.map(|_| ()),
                () = patience => Ok(()),
            }
        };
        // When the program itself has ended, what it left in the background is ended, which closes the streams.
        let time_limit = self.time_limit;
        let wait = async {
            let overdue = match time_limit {
                Some(limit) => timeout(limit, child.wait()).await.err().map(|_| Stopped::Overdue(limit)),
                None => None,
            };
            if overdue.is_some() {
                processes.end_one(leader, false).await;
            }
            let status = child.wait().await;
            // One that was ended by a signal may not have come to the end of its work.
            let left_nothing = launched && status.as_ref().is_ok_and(|status| status.code().is_some());
            processes.end_one(leader, left_nothing).await;
            let _ = exited.send(());
            overdue.map_or_else(|| status.map_err(Stopped::from), Err)
        };
        let work = async { tokio::try_join!(wait, read, write) };
        let ended = work.await;
        // What a program said that did not run to its end may be asked for as well.
        for kept in [&mut self.stdout, &mut self.stderr] {
            *kept = mask.end_of(kept, KEPT);
        }
        let (status, (), ()) = ended?;
        match self.not_started().filter(|_| launched && status.code() == Some(NOT_STARTED.into())) {
            Some(reason) => Err(Stopped::NotStarted(reason)),
            None => Ok(status),
        }
    }

    /// Why the launcher did not start it, if that is the last that was said.
    fn not_started(&self) -> Option<String> {
        let said = String::from_utf8_lossy(&self.stderr);
        Some(said.lines().last()?.strip_prefix(NOT_STARTED_BECAUSE)?.to_owned())
    }
}

/// The program, or what launches it, with its environment.
fn command(checked: &Checked<'_>, mark: &str) -> io::Result<tokio::process::Command> {
    let Some(Launched { launcher, confinement }) = &checked.confined else {
        let mut command = tokio::process::Command::new(checked.program);
        command.env_clear().envs(checked.environment.iter().cloned()).env(MARK, mark);
        return Ok(command);
    };
    let launch = Launch {
        program: checked.program.to_owned(),
        confinement: confinement.clone(),
        parent: nix::unistd::getpid().as_raw(),
        grace_ms: u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX),
    };
    let mut command = tokio::process::Command::new(&launcher.program);
    command.arg(&launcher.argument).arg(serde_json::to_string(&launch)?).env_clear().env(MARK, mark);
    for (name, value) in &checked.environment {
        command.env(format!("{FOR_PROGRAM}{name}"), value);
    }
    command.env(format!("{FOR_PROGRAM}{MARK}"), mark);
    Ok(command)
}

fn start(command: &mut tokio::process::Command) -> io::Result<(Child, Pid)> {
    let child = command.spawn()?;
    let id =
        child.id().and_then(|id| i32::try_from(id).ok()).ok_or_else(|| io::Error::other("the process has no id"))?;
    Ok((child, Pid::from_raw(id)))
}

/// Lets the system send the signal when this process is gone, even when nothing here can: after `kill -9`.
fn die_with_this_process(command: &mut tokio::process::Command, signal: Signal) {
    #[cfg(target_os = "linux")]
    {
        let parent = nix::unistd::getpid();
        // SAFETY: the closure runs between fork and exec, where only async-signal-safe functions may be called; it calls
        // prctl(2) and getppid(2), and allocates nothing.
        #[expect(unsafe_code, reason = "the only way to run code between fork and exec")]
        unsafe {
            command.pre_exec(move || {
                nix::sys::prctl::set_pdeathsig(signal)?;
                // The parent may have died before that was said.
                if nix::unistd::getppid() != parent {
                    return Err(nix::errno::Errno::ESRCH.into());
                }
                Ok(())
            });
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (command, signal);
}

async fn read_all(
    stream: Option<impl AsyncRead + Unpin>,
    kept: &mut Vec<u8>,
    keep: usize,
    listen: impl Fn(&[u8]) -> wasmtime::Result<()>,
) -> Result<(), Stopped> {
    let Some(mut stream) = stream else { return Ok(()) };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 2 * keep {
            kept.drain(..kept.len() - keep);
        }
        listen(&buffer[..read]).map_err(Stopped::Listener)?;
    }
    Ok(())
}

/// `Ok` is an exit code, `Err` a signal.
pub(crate) fn outcome(status: ExitStatus) -> Result<i32, i32> {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ok(code),
        (None, Some(signal)) => Err(signal),
        (None, None) => Ok(status.into_raw()),
    }
}
