//! A real git repository in the workspace of an environment.

use std::process::Command;

use crate::environment::Environment;

/// Runs git in the workspace, without settings of this machine, and returns what it prints.
#[track_caller]
pub fn git(environment: &Environment, arguments: &[&str]) -> String {
    let folder = environment.workspace();
    let ran = Command::new("git")
        .arg("-C")
        .arg(&folder)
        .args(["-c", "protocol.file.allow=always", "-c", "core.autocrlf=false"])
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")])
        .output()
        .unwrap();
    assert!(ran.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

/// Commits all that is in the workspace.
#[track_caller]
pub fn commit(environment: &Environment) {
    git(environment, &["add", "--all"]);
    git(environment, &["commit", "--quiet", "-m", "change"]);
}
