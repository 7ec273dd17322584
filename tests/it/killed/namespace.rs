//! A mount namespace of one test: it may mount what it likes there, sees it alone, and leaves nothing behind.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::environment::{Environment, Ran};

pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Lives as long as the shell that it was made with.
pub struct Namespace<'e> {
    environment: &'e Environment,
    shell: Child,
}

impl<'e> Namespace<'e> {
    /// `mounts` is a script that runs in the workspace. `None`, and the reason is said, where the system allows none.
    pub fn new(environment: &'e Environment, mounts: &str) -> Option<Self> {
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let script = format!("{mounts}\necho ready\nread -r end");
        command.args(["sh", "-euc", &script]).current_dir(environment.workspace());
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(shell.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        if line == "ready\n" {
            return Some(Self { environment, shell });
        }
        let mut reason = String::new();
        shell.stderr.take().unwrap().read_to_string(&mut reason).unwrap();
        shell.wait().unwrap();
        println!("NOT TESTED: nothing can be mounted here: {}", reason.trim());
        None
    }

    /// The command inside.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let inner = self.environment.command(arguments);
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.shell.id().to_string()).arg("--mount");
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["sh", "-c", "cd \"$0\" && exec \"$@\""]).arg(self.environment.workspace());
        command.arg(inner.get_program()).args(inner.get_args());
        command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null());
        command
    }

    pub fn sluice(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs a script in the workspace, inside.
    pub fn script(&self, script: &str) {
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.shell.id().to_string()).arg("--mount");
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["sh", "-euc", &format!("cd \"$0\"\n{script}")]).arg(self.environment.workspace());
        assert!(command.status().unwrap().success(), "{script}");
    }

    /// A file of the workspace as it is seen inside.
    pub fn path(&self, path: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.shell.id()));
        root.join(self.environment.workspace().join(path).strip_prefix("/").unwrap())
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        // The end of its input ends the shell, and with it the namespace.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
