//! Programs on the machine that runs the workflow. Only what the step was granted, never through a shell unless the
//! shell is what is granted.

use std::fmt;
use std::time::Duration;

use crate::Failure;
use crate::bindings::imports::sluice::host::exec as wit;

/// Why a program could not be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The step was not granted this program, working directory, variable or secret.
    Denied(String),
    /// The program is granted but does not exist on this machine.
    NotFound(String),
    /// The system could not start it.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Error::Denied(message) | Error::NotFound(message) | Error::Failed(message)) = self;
        f.write_str(message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(message) => Self::denied(message),
            Error::NotFound(message) | Error::Failed(message) => Self::failed(message),
        }
    }
}

/// How a program ended. Prints as `exited with code 3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

impl Status {
    /// Whether it exited with code 0.
    pub fn success(self) -> bool {
        self == Status::Exited(0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Exited(code) => write!(f, "exited with code {code}"),
            Status::Signalled(signal) => write!(f, "was ended by signal {signal}"),
        }
    }
}

/// A program about to be run.
#[derive(Debug)]
pub struct Command(wit::Command);

impl Command {
    /// A program by name, such as `git`. Nothing is checked until [`run`](Command::run).
    pub fn new(program: &str) -> Self {
        Self(wit::Command::new(program))
    }

    /// Append one argument, passed as it is.
    #[must_use]
    pub fn arg(self, argument: impl Into<String>) -> Self {
        self.args([argument])
    }

    /// Append arguments, each passed as it is.
    #[must_use]
    pub fn args(self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let arguments: Vec<String> = arguments.into_iter().map(Into::into).collect();
        self.0.args(&arguments);
        self
    }

    /// Set an environment variable of the child, which otherwise starts with an empty environment.
    #[must_use]
    pub fn env(self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Set an environment variable of the child to the value of a secret, which never enters the plugin.
    #[must_use]
    pub fn env_secret(self, name: &str, secret: &str) -> Self {
        self.0.env_secret(name, secret);
        self
    }

    /// Working directory relative to the workspace. Default: the workspace.
    #[must_use]
    pub fn directory(self, path: &str) -> Self {
        self.0.directory(path);
        self
    }

    /// Bytes for standard input. Default: none.
    #[must_use]
    pub fn stdin(self, bytes: &[u8]) -> Self {
        self.0.stdin(bytes);
        self
    }

    /// The longest that one [`run`](Command::run) may take; then the program and what it started are ended, and `run`
    /// fails. Default: the time limit of the step.
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        self.0.time_limit(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Keep the program's output out of the step's log; [`stdout`](Command::stdout) and [`stderr`](Command::stderr) still
    /// give it. For a program that is run again and again.
    #[must_use]
    pub fn quiet(self) -> Self {
        self.0.quiet();
        self
    }

    /// Run to the end. Both output streams go to the step's log while the program runs.
    pub fn run(&self) -> Result<Status, Error> {
        match self.0.run() {
            Ok(wit::Status::Exited(code)) => Ok(Status::Exited(code)),
            Ok(wit::Status::Signalled(signal)) => Ok(Status::Signalled(signal)),
            Err(wit::Error::Denied(message)) => Err(Error::Denied(message)),
            Err(wit::Error::NotFound(message)) => Err(Error::NotFound(message)),
            Err(wit::Error::Failed(message)) => Err(Error::Failed(message)),
        }
    }

    /// What the last run wrote to standard output, at most the last 1 MiB.
    pub fn stdout(&self) -> Vec<u8> {
        self.0.stdout()
    }

    /// What the last run wrote to standard error, at most the last 1 MiB.
    pub fn stderr(&self) -> Vec<u8> {
        self.0.stderr()
    }
}
