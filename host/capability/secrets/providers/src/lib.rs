//! Fetches the values of secrets from where a workflow says they are. A source is a module with one function; a new one
//! needs a variant of [`SecretSource`] and a line in [`value`].

mod aws;
mod command;
mod file;
mod vault;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sluice_model::SecretSource;
use tokio::task::JoinSet;
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
/// What is still under way when this future is dropped is ended with it, programs too.
pub async fn fetch(wanted: Vec<(String, SecretSource)>, machine: Arc<Machine>) -> Vec<(String, Fetched)> {
    let mut running = JoinSet::new();
    let mut fetched: Vec<(String, Fetched)> = Vec::with_capacity(wanted.len());
    for (place, (name, source)) in wanted.into_iter().enumerate() {
        fetched.push((name, Err(Reason::new("fetching it failed for a reason of our own"))));
        let machine = Arc::clone(&machine);
        running.spawn(async move {
            let late = |_| Reason::new(format!("there was no answer within {} seconds", DEADLINE.as_secs()));
            (place, timeout(DEADLINE, value(&source, &machine)).await.map_err(late).flatten().and_then(usable))
        });
    }
    while let Some(ended) = running.join_next().await {
        if let Ok((place, value)) = ended {
            fetched[place].1 = value;
        }
    }
    fetched
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
