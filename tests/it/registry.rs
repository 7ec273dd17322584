//! A container registry on loopback: the real `docker-registry`, and independent programs that read and write it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::environment::repository;

/// `user:password` as `htpasswd -B` writes it.
const HTPASSWD: &str = "user:$2b$05$LWqIAksEARqa9TyQv6D7OOYCfVbUMhLZmJC/rYZPT9eLzXiYaRMMC\n";

/// Ends when dropped.
pub struct Registry {
    process: Child,
    pub address: String,
    folder: tempfile::TempDir,
}

/// Where `tests/servers/registry.sh` puts the programs; `None`, said once, where it could not.
pub fn program(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let path = cache.join("sluice/servers/registry/bin").join(name);
    if path.is_file() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing; run `just servers`", path.display());
    eprintln!("skipped: {} is missing; run `just servers`", path.display());
    None
}

impl Registry {
    /// One that anybody may read and write.
    pub fn start() -> Option<Self> {
        Self::with("")
    }

    /// One that only `user` with the password `password` may read and write.
    pub fn with_password() -> Option<Self> {
        Self::with("auth: {htpasswd: {realm: tests, path: HTPASSWD}}\n")
    }

    fn with(more: &str) -> Option<Self> {
        let program = program("docker-registry")?;
        let folder = tempfile::tempdir().unwrap();
        let htpasswd = folder.path().join("htpasswd");
        std::fs::write(&htpasswd, HTPASSWD).unwrap();
        // Port 0 is not taken by this server: a free one is looked for, and another if somebody else was faster.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let address = format!("127.0.0.1:{port}");
            let config = format!(
                "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: \
                 true}}}}\nhttp: {{addr: \"{address}\"}}\n{}",
                folder.path().join("data").display(),
                more.replace("HTPASSWD", &htpasswd.display().to_string())
            );
            let file = folder.path().join("config.yml");
            std::fs::write(&file, config).unwrap();
            let mut process = Command::new("bash")
                .arg(repository().join("tests/servers/keep.sh"))
                .arg("TERM")
                .arg(&program)
                .args(["serve".as_ref(), file.as_os_str()])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
            let listens = said.by_ref().map_while(Result::ok).any(|line| line.contains("listening on"));
            if listens {
                // What it says later is read, so that it never waits for a reader.
                std::thread::spawn(move || said.for_each(drop));
                return Some(Self { process, address, folder });
            }
            let _ = process.wait();
        }
        panic!("docker-registry found no port");
    }

    /// `oci://127.0.0.1:PORT/NAME`
    pub fn reference(&self, name: &str) -> String {
        format!("oci://{}/{name}", self.address)
    }

    /// Runs a program that talks to it, and gives what it printed.
    #[track_caller]
    pub fn run(&self, name: &str, arguments: &[&str]) -> String {
        let program = if name == "rm" { PathBuf::from(name) } else { program(name).unwrap() };
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("COSIGN_PASSWORD", "")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{name} {arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// A file beside the registry's own, for the programs.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// What a program has written beside it.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The file in which it keeps a blob.
    pub fn blob(&self, hex: &str) -> PathBuf {
        let blobs = Path::new("data/docker/registry/v2/blobs/sha256");
        self.folder.path().join(blobs).join(&hex[..2]).join(hex).join("data")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
