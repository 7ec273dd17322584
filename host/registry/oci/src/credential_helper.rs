//! Credential helpers: `docker-credential-NAME get`, asked on its standard input, answers on its standard output.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::credentials::Credentials;

/// Longest answer, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;
/// It may ask a key store, which may ask a person.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a helper says when it has nothing; it is no failure.
const NOTHING: &str = "credentials not found";

/// Asks a helper, which is a program with a whole path, for a server. It gets this environment and no other.
///
/// # Errors
/// What went wrong, without anything that the helper said.
pub fn ask(
    program: &Path,
    server: &str,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Option<Credentials>, String> {
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |reason: String| format!("the credential helper `{name}` {reason}");
    let mut child = Command::new(program)
        .arg("get")
        .env_clear()
        .envs(environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read what it is asked has its own answer.
        let _ = input.write_all(server.as_bytes());
    }
    let output = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut answer = Vec::new();
        // What cannot be read is no answer.
        let _ = output.map(|output| output.take(MAX_ANSWER).read_to_end(&mut answer));
        answer
    });
    let Some(success) = wait(&mut child) else { return Err(failed("did not answer within a minute".into())) };
    let answer = reader.join().unwrap_or_default();
    if !success {
        let nothing = String::from_utf8_lossy(&answer).contains(NOTHING);
        return if nothing { Ok(None) } else { Err(failed("failed".into())) };
    }
    Credentials::from_helper(&answer)
        .map(Some)
        .ok_or_else(|| failed("answered something that is not understood".into()))
}

/// Whether it succeeded; `None` if it had to be ended.
fn wait(child: &mut Child) -> Option<bool> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => return Some(false),
        }
    }
    // It is ended and buried; neither can fail in a way that matters.
    let _ = child.kill();
    let _ = child.wait();
    None
}
