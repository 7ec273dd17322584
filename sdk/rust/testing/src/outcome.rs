//! What a call came to.

use std::fmt;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::event::{Change, Level, Stream};
use sluice_model::{Digest, Failure, Finding, Problem};

/// Everything that a plugin did.
#[derive(Debug)]
pub struct Outcome {
    /// Findings do not count as failure here, whatever their severity.
    pub result: Result<(), End>,
    /// What the step was granted, as in `http: POST https://hooks.example/x`.
    pub grants: Vec<String>,
    pub findings: Vec<Finding>,
    pub outputs: IndexMap<String, Value>,
    pub logs: Vec<Log>,
    pub artifacts: Vec<Artifact>,
    /// What a deploy plugin planned.
    pub changes: Vec<Change>,
}

/// Why a call did not pass.
#[derive(Debug)]
pub enum End {
    /// It was not begun: the component, its manifest, the inputs or the grants have problems.
    Refused(Vec<Problem>),
    /// The plugin failed, or the host ended it.
    Failed(Failure),
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub stream: Stream,
    pub level: Level,
    pub text: String,
}

/// A published artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub name: String,
    pub media_type: String,
    pub digest: Digest,
    pub bytes: Vec<u8>,
}

impl Outcome {
    pub(crate) fn new() -> Self {
        Self {
            result: Ok(()),
            grants: Vec::new(),
            findings: Vec::new(),
            outputs: IndexMap::new(),
            logs: Vec::new(),
            artifacts: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Asserts that the call passed.
    ///
    /// # Panics
    /// When it did not, with the reason and the log.
    #[track_caller]
    pub fn expect_passed(&self) {
        if let Err(end) = &self.result {
            panic!("the call did not pass: {end}\n{}", self.log_text());
        }
    }

    /// Asserts that the call was begun and failed.
    ///
    /// # Panics
    /// When it passed or was refused.
    #[track_caller]
    pub fn expect_failure(&self) -> &Failure {
        match &self.result {
            Err(End::Failed(failure)) => failure,
            Err(refused) => panic!("the call was not begun: {refused}"),
            Ok(()) => panic!("the call passed\n{}", self.log_text()),
        }
    }

    /// The texts of the log, one below the other.
    pub fn log_text(&self) -> String {
        self.logs.iter().map(|log| log.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Refused(problems) => {
                let lines = problems
                    .iter()
                    .map(|problem| explained(&problem.message, &problem.causes, problem.help.as_deref()));
                f.write_str(&lines.collect::<Vec<_>>().join("\n"))
            }
            End::Failed(failure) => f.write_str(&explained(&failure.message, &failure.causes, failure.help.as_deref())),
        }
    }
}

fn explained(message: &str, causes: &[String], help: Option<&str>) -> String {
    let causes = causes.iter().map(|cause| format!(": {cause}"));
    let help = help.map(|help| format!("\n  help: {help}"));
    [message.to_owned()].into_iter().chain(causes).chain(help).collect()
}
