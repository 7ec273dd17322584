//! A program, run without a shell and with all that the user may do.

use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use sluice_capability_secrets::{Mask, SecretValues};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::{Fetched, LONGEST, Machine, Reason, quoted, text};

/// Lines of standard error that are told when the program fails.
const TOLD_LINES: usize = 3;

/// Ends all that a program started, unless it ended well.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended by itself.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

pub async fn read(words: &[String], machine: &Machine) -> Fetched {
    let [program, arguments @ ..] = words else { return Err(Reason::new("no program is named")) };
    // A name is looked for on the search path, a path is one below the workspace.
    let path = if program.contains('/') { machine.path(program)? } else { program.into() };
    let mut child = Command::new(path)
        .args(arguments)
        .current_dir(&machine.workspace)
        .env_clear()
        .envs(&machine.env)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Reason::new(format!("`{program}` could not be started")).cause(error.to_string()))?;
    let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let said = async {
        let output = output(stdout, program).await?;
        let status = child.wait().await.map_err(|error| Reason::new(error.to_string()))?;
        Ok((output, status))
    };
    // Both at once: a program may wait until somebody reads what it complains about.
    let (said, complaints) = tokio::join!(said, complaints(stderr));
    let (output, status) = said?;
    if status.success() {
        group.0 = None;
        return text(output);
    }
    let mut reason = Reason::new(format!("`{program}` failed: {status}"));
    // What it printed may be the value; should it say that again on standard error, it is masked.
    let printed = String::from_utf8_lossy(&output).into_owned();
    let mask = Mask::new(&SecretValues::from_iter([(String::new(), printed)]));
    let complaints = mask.apply(&complaints).into_owned();
    let lines: Vec<&str> = complaints.lines().filter(|line| !line.trim().is_empty()).collect();
    for line in &lines[lines.len().saturating_sub(TOLD_LINES)..] {
        reason = reason.cause(quoted(line));
    }
    Err(reason)
}

async fn output(pipe: Option<impl AsyncRead + Unpin>, program: &str) -> Result<Vec<u8>, Reason> {
    let mut bytes = Vec::new();
    let Some(pipe) = pipe else { return Ok(bytes) };
    let most = LONGEST + 2;
    let read = pipe.take(most as u64 + 1).read_to_end(&mut bytes).await;
    read.map_err(|error| Reason::new(format!("what `{program}` prints cannot be read")).cause(error.to_string()))?;
    if bytes.len() > most {
        return Err(Reason::new(format!("`{program}` printed more than 64 KiB")));
    }
    Ok(bytes)
}

/// The beginning of what it says on standard error; the rest is read and forgotten.
async fn complaints(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
            let space = LONGEST.saturating_sub(kept.len());
            kept.extend_from_slice(&buffer[..read.min(space)]);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}
