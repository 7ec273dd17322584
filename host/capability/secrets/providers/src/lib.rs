//! Fetches the values of secrets from where a workflow says they are. A source is a module with one function; a new one
//! needs a variant of [`SecretSource`] and a line in [`value`].

mod aws;
mod command;
mod file;
mod vault;

use std::collections::HashMap;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::Duration;

use sluice_model::SecretSource;
use tokio::time::timeout;

/// The longest value, in bytes: what AWS Secrets Manager allows.
const LONGEST: usize = 64 << 10;
/// How long fetching all values may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// What sources may use of this machine: all that its user has.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The environment of the runner.
    pub env: HashMap<String, String>,
    /// Relative files are looked for here, and programs run here.
    pub workspace: PathBuf,
}

/// Why there is no value. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What happened, outermost first.
    pub causes: Vec<String>,
    pub help: Option<String>,
}

/// A value, or why there is none.
pub type Fetched = Result<String, Reason>;

impl Reason {
    fn new(cause: impl Into<String>) -> Self {
        Self { causes: vec![cause.into()], help: None }
    }

    fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Machine {
    /// A variable that is set to something.
    fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A path as people write it: absolute, `~/...`, or relative to the workspace.
    fn path(&self, text: &str) -> Result<PathBuf, Reason> {
        match text.strip_prefix("~/") {
            Some(rest) => self.home().map(|home| home.join(rest)),
            None => Ok(self.workspace.join(text)),
        }
    }

    fn home(&self) -> Result<&Path, Reason> {
        self.variable("HOME").map(Path::new).ok_or_else(|| Reason::new("HOME is not set, so `~` leads nowhere"))
    }
}

/// Fetches all values at the same time. Each name has its value or the reason why there is none, in the order asked for.
/// When this future is dropped, what is still under way has ended, programs too.
pub async fn fetch(wanted: Vec<(String, SecretSource)>, machine: &Machine) -> Vec<(String, Fetched)> {
    let late = |_| Reason::new(format!("there was no answer within {} seconds", DEADLINE.as_secs()));
    let mut running: Vec<_> = wanted
        .iter()
        .map(|(_, source)| Box::pin(async { timeout(DEADLINE, value(source, machine)).await.map_err(late).flatten() }))
        .collect();
    let mut fetched: Vec<Option<Fetched>> = vec![None; running.len()];
    // On the caller's task, so that nothing goes on behind its back.
    poll_fn(|context| {
        for (future, fetched) in running.iter_mut().zip(&mut fetched).filter(|(_, fetched)| fetched.is_none()) {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                *fetched = Some(value.and_then(usable));
            }
        }
        if fetched.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    drop(running);
    wanted.into_iter().zip(fetched.into_iter().flatten()).map(|((name, _), value)| (name, value)).collect()
}

async fn value(source: &SecretSource, machine: &Machine) -> Fetched {
    match source {
        SecretSource::Env(name) => {
            let value = machine.env.get(name).cloned();
            value.ok_or_else(|| Reason::new(format!("the environment variable `{name}` is not set")))
        }
        SecretSource::File(path) => file::read(path, machine).await,
        SecretSource::Prompt(_) => Err(Reason::new("there is no terminal to ask at")),
        SecretSource::Command(words) => command::read(words, machine).await,
        SecretSource::Vault(secret) => vault::read(secret, machine).await,
        SecretSource::Aws(secret) => aws::read(secret, machine).await,
    }
}

/// A value that can be one: an empty one is nearly always a mistake, and nothing can hand on a NUL.
///
/// # Errors
/// What is wrong with it, without the value.
pub fn usable(value: String) -> Fetched {
    match value {
        _ if value.is_empty() => Err(Reason::new("it is empty")),
        _ if value.len() > LONGEST => Err(Reason::new("it is longer than 64 KiB")),
        _ if value.contains('\0') => Err(Reason::new("it has a NUL character")),
        _ => Ok(value),
    }
}

/// What a program or a file holds as text, without the line feed at its end.
fn text(mut bytes: Vec<u8>) -> Fetched {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    String::from_utf8(bytes).map_err(|_| Reason::new("it is not UTF-8 text"))
}

/// Words of somebody else, fit for a message: short, on one line, nothing that a terminal would obey.
fn quoted(text: &str) -> String {
    const LONGEST_QUOTE: usize = 300;
    let line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(LONGEST_QUOTE) {
        Some((cut, _)) => format!("{}...", &line[..cut]),
        None => line,
    }
}
