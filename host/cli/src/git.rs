//! What `git.*` in expressions stands for.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// `{sha, short, branch, tag, dirty, time}` of the repository that holds `workspace`; empty texts where there is none.
/// `time` is the commit's time in seconds since the Unix epoch, 0 if unknown.
pub fn facts(workspace: &Path) -> Value {
    let git = |arguments: &[&str]| -> Option<String> {
        let output = Command::new("git")
            .arg("-C")
            .arg(workspace)
            .args(arguments)
            .stdin(Stdio::null())
            .env("GIT_OPTIONAL_LOCKS", "0")
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["log", "-1", "--format=%H %ct"]).unwrap_or_default();
    let (sha, time) = head.split_once(' ').unwrap_or_default();
    json!({
        "sha": sha,
        "short": sha.get(..12).unwrap_or_default(),
        "branch": git(&["symbolic-ref", "--short", "-q", "HEAD"]).unwrap_or_default(),
        "tag": git(&["describe", "--tags", "--exact-match"]).unwrap_or_default(),
        "dirty": git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty()),
        "time": time.parse::<i64>().unwrap_or_default(),
    })
}
