//! A real PostgreSQL and a real Redis on loopback, each with a folder and a port of its own.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::servers;

/// Ends the server when this process is gone.
const KEEP: &str = include_str!("../servers/keep.sh");
/// How long a server may take to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Who runs a server when the tests run as root, which PostgreSQL refuses: `nobody`.
const NOBODY: u32 = 65534;

/// An address that nothing listens at.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The folder with the programs of both databases, if they are installed.
pub fn programs() -> Option<PathBuf> {
    servers::installed("databases/bin/redis-server", "Redis")?;
    Some(servers::installed("databases/bin/postgres", "PostgreSQL")?.parent()?.to_owned())
}

/// A server that ends when dropped.
struct Kept {
    process: Child,
    folder: tempfile::TempDir,
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0)
}

/// A folder of its own for a server, and who runs it there.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if is_root() {
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    folder
}

fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("LC_ALL", "C.UTF-8").env("HOME", folder);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Where the link to the program leads: who runs the server need not be let into the folder of links. Only that one is
/// followed, because `redis-server` is itself a link and looks at the name that it was called by.
fn program(name: &str) -> Option<PathBuf> {
    let link = programs()?.join(name);
    Some(fs::read_link(&link).unwrap_or(link))
}

/// Starts a server. Whatever it writes goes to `log` in its folder.
fn keep(folder: tempfile::TempDir, signal: &str, server: &Path, arguments: &[&str]) -> Kept {
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let process = command("bash", folder.path())
        .args(["-c", KEEP, "keep", signal])
        .arg(server)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    Kept { process, folder }
}

/// Asks until it answers.
fn until(kept: &mut Kept, mut is_ready: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_ready() {
        let ended = kept.process.try_wait().unwrap();
        let log = || fs::read_to_string(kept.folder.path().join("log")).unwrap_or_default();
        assert!(ended.is_none() && Instant::now() < end, "the server does not come up\n{}", log());
        thread::sleep(Duration::from_millis(20));
    }
}

/// PostgreSQL with the user `postgres`, who needs the password.
pub struct Postgres {
    kept: Kept,
    pub port: u16,
}

impl Postgres {
    pub const PASSWORD: &'static str = "correct-horse/battery+staple";

    /// `None` where it is not installed.
    pub fn start() -> Option<Self> {
        Self::start_at(free_address().port())
    }

    /// The same at a port that was chosen before.
    pub fn start_at(port: u16) -> Option<Self> {
        let (initdb, postgres) = (program("initdb")?, program("postgres")?);
        let folder = folder();
        let password = folder.path().join("password");
        fs::write(&password, Self::PASSWORD).unwrap();
        let made = command(initdb, folder.path())
            .args(["--pgdata", "data", "--username", "postgres", "--auth", "scram-sha-256", "--pwfile"])
            .arg(&password)
            .args(["--encoding", "UTF8", "--no-locale", "--no-sync"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", text(&made));
        let number = port.to_string();
        let settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "shared_buffers=16MB"];
        let mut arguments = vec!["-D", "data", "-p", number.as_str()];
        arguments.extend(settings.iter().flat_map(|setting| ["-c", setting]));
        let mut kept = keep(folder, "INT", &postgres, &arguments);
        let asking = program("pg_isready")?;
        until(&mut kept, || {
            let answer = Command::new(&asking).args(["--quiet", "--host", "127.0.0.1", "--port", &number]).status();
            answer.unwrap().success()
        });
        Some(Self { kept, port })
    }

    /// What SQL says, a line a row, columns between `|`.
    pub fn ask(&self, database: &str, sql: &str) -> String {
        let output = command(program("psql").unwrap(), self.kept.folder.path())
            .args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set", "ON_ERROR_STOP=1", "--username"])
            .args(["postgres", "--host", "127.0.0.1", "--port", &self.port.to_string(), "--command", sql, database])
            .env("PGPASSWORD", Self::PASSWORD)
            .output()
            .unwrap();
        assert!(output.status.success(), "{sql}\n{}", text(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// Redis that keeps nothing.
pub struct Redis {
    _kept: Kept,
    pub port: u16,
}

impl Redis {
    /// `None` where it is not installed.
    pub fn start() -> Option<Self> {
        Self::start_at(free_address().port())
    }

    /// The same at a port that was chosen before.
    pub fn start_at(port: u16) -> Option<Self> {
        let (server, client) = (program("redis-server")?, program("redis-cli")?);
        let number = port.to_string();
        let arguments = ["--port", &number, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let mut kept = keep(folder(), "TERM", &server, &arguments);
        until(&mut kept, || {
            let answer = Command::new(&client).args(["-h", "127.0.0.1", "-p", &number, "ping"]).output().unwrap();
            answer.stdout == b"PONG\n"
        });
        Some(Self { _kept: kept, port })
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}
