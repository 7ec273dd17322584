//! Finds out what `requires` asks about.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use sluice_model::Problem;
use sluice_plan::Plan;
use sluice_plan::requires::{Answer, Machine, unmet};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::host;

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of what a program prints is read, in bytes.
const READ: u64 = 64 << 10;

/// Everything that the plan requires and this machine lacks.
pub fn check(plan: &Plan, workspace: &Path) -> Result<(), Vec<Problem>> {
    let requirements = plan.requirements();
    if requirements.is_empty() {
        return Ok(());
    }
    // Each program once; it is asked if any file wants to know its version.
    let mut programs: BTreeMap<&str, bool> = BTreeMap::new();
    for command in requirements.iter().flat_map(|(_, requires)| &requires.commands) {
        *programs.entry(&command.name).or_default() |= !command.versions.is_any();
    }
    let runtime = host::runtime().map_err(|problem| vec![problem])?;
    let commands = runtime.block_on(async {
        let mut asked = BTreeMap::new();
        let mut asking = tokio::task::JoinSet::new();
        for (name, wanted) in programs {
            match host::program(name, workspace) {
                None => drop(asked.insert(name.to_owned(), Answer::Missing)),
                Some(_) if !wanted => drop(asked.insert(name.to_owned(), Answer::There)),
                Some(program) => {
                    let (name, workspace) = (name.to_owned(), workspace.to_owned());
                    asking.spawn(async move { (name, ask(&program, &workspace).await) });
                }
            }
        }
        asked.extend(asking.join_all().await);
        asked
    });
    runtime.shutdown_background();
    let machine = Machine {
        commands,
        disk_free: disk_free(workspace),
        root: nix::unistd::geteuid().is_root(),
        os: std::env::consts::OS.to_owned(),
        sluice: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let problems: Vec<Problem> =
        requirements.iter().flat_map(|(source, requires)| unmet(requires, &machine, source)).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Runs `PROGRAM --version` in the workspace, where a version manager gives the answer that steps will get.
async fn ask(program: &Path, workspace: &Path) -> Answer {
    let mut command = Command::new(program);
    command.arg("--version").current_dir(workspace).process_group(0).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Answer::Failed(format!("could not be run: {error}")),
    };
    let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async { tokio::join!(read(stdout), read(stderr), child.wait()) };
    let ended = tokio::time::timeout(PATIENCE, work).await;
    if let Some(group) = group {
        // What it left in the background; mostly there is nothing.
        let _ = killpg(group, Signal::SIGKILL);
    }
    match ended {
        Err(_) => Answer::Failed(format!("did not answer within {} s", PATIENCE.as_secs())),
        Ok((_, _, Err(error))) => Answer::Failed(format!("was lost: {error}")),
        Ok((stdout, stderr, Ok(status))) => match status.code() {
            Some(0) => Answer::Said(format!("{stdout}\n{stderr}")),
            Some(code) => Answer::Failed(format!("ended with exit code {code}")),
            None => Answer::Failed("was ended by a signal".to_owned()),
        },
    }
}

/// The beginning of a stream; the rest is read and dropped, so that the program can end.
async fn read(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut kept = Vec::new();
    // What cannot be read cannot be looked at; the exit code tells more.
    let _ = (&mut stream).take(READ).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}

fn disk_free(workspace: &Path) -> Result<u64, String> {
    let stat = nix::sys::statvfs::statvfs(workspace).map_err(|error| error.desc().to_owned())?;
    // The types differ from system to system.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    let (blocks, size) = (stat.blocks_available() as u64, stat.fragment_size() as u64);
    Ok(blocks.saturating_mul(size))
}
