//! What `git.*` in expressions stands for.

mod changes;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

pub use changes::{Changes, changes};

use crate::host;

/// Options that keep a repository from having programs run: a step that may write files could have planted its settings.
const TAME: [&str; 10] = [
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "log.showSignature=false",
    "-c",
    "core.quotePath=false",
    "--literal-pathspecs",
];

/// The repository that holds a workspace, as far as there is one.
pub struct Git {
    /// `None` if this machine has no git outside the workspace.
    program: Option<PathBuf>,
    workspace: PathBuf,
    /// Settings that win over those of the repository.
    settings: Vec<(String, String)>,
}

impl Git {
    pub fn new(workspace: &Path) -> Self {
        let program = host::program("git", workspace);
        let mut git = Self { program, workspace: workspace.to_owned(), settings: Vec::new() };
        git.settings = git.without_filters();
        git
    }

    /// What git prints; `None` if it fails or is not there.
    pub fn output<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Option<Vec<u8>> {
        let mut command = Command::new(self.program.as_ref()?);
        command.args(TAME).arg("-C").arg(&self.workspace).args(arguments).stdin(Stdio::null());
        // Nothing is written, asked or fetched.
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
        command.env("GIT_ALLOW_PROTOCOL", "").env("LC_ALL", "C");
        let set = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(0);
        for (at, (key, value)) in self.settings.iter().enumerate() {
            let at = set + at;
            command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        if !self.settings.is_empty() {
            command.env("GIT_CONFIG_COUNT", (set + self.settings.len()).to_string());
        }
        let output = command.output().ok()?;
        output.status.success().then_some(output.stdout)
    }

    /// The one line that git prints.
    pub fn line<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Option<String> {
        let output = self.output(arguments)?;
        Some(String::from_utf8_lossy(&output).trim().to_owned()).filter(|line| !line.is_empty())
    }

    /// The commit that a name stands for, in full. Names that begin with `-` stand for none.
    pub fn commit(&self, name: &str) -> Option<String> {
        let safe = !name.starts_with('-') && !name.contains('\0');
        safe.then(|| self.line(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])).flatten()
    }

    /// Names that git ends with a NUL each. What is not UTF-8 in them is replaced.
    pub fn names<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Option<Vec<String>> {
        let output = self.output(arguments)?;
        let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Some(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// Filters are programs that git runs to compare contents. Those that the repository itself names are left out; those
    /// of the user's own settings, such as Git LFS, stay.
    fn without_filters(&self) -> Vec<(String, String)> {
        const FILTERS: &str = r"^filter\..*\.(clean|smudge|process|required)$";
        let list = |scope: &[&str]| {
            self.names(&[&["config", "--includes", "-z", "--name-only"], scope, &["--get-regexp", FILTERS]].concat())
        };
        let keys = [list(&["--local"]), list(&["--worktree"])].into_iter().flatten().flatten();
        let value = |key: &str| if key.ends_with(".required") { "false" } else { "" };
        keys.map(|key| (key.clone(), value(&key).to_owned())).collect()
    }
}

/// `{sha, short, branch, tag, dirty, time}` of the repository; empty texts where there is none. `time` is the commit's
/// time in seconds since the Unix epoch, 0 if unknown. With `changes` also `base` and `changed`.
pub fn facts(git: &Git, changes: Option<&Changes>) -> Value {
    let head = git.line(&["log", "-1", "--format=%H %ct"]).unwrap_or_default();
    let (sha, time) = head.split_once(' ').unwrap_or_default();
    let status = ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty"];
    let mut facts = json!({
        "sha": sha,
        "short": sha.get(..12).unwrap_or_default(),
        "branch": git.line(&["symbolic-ref", "--short", "-q", "HEAD"]).unwrap_or_default(),
        "tag": git.line(&["describe", "--tags", "--exact-match"]).unwrap_or_default(),
        "dirty": git.line(&status).is_some(),
        "time": time.parse::<i64>().unwrap_or_default(),
    });
    if let Some(changes) = changes {
        facts["base"] = changes.base.clone().into();
        facts["changed"] = changes.files_or_all(git).into();
    }
    facts
}
