//! The example `deploy-script` against mirrors and a web server on loopback.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::environment::{Environment, Ran};
use crate::server::{OK, Server};

const BUSY: &str = "503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Python's web server in a folder; ended when dropped.
struct Web(Child);

impl Web {
    fn serve(folder: &Path, port: u16) -> Self {
        let mut command = Command::new("python3");
        command.args(["-m", "http.server", &port.to_string(), "--bind", "127.0.0.1", "--directory"]).arg(folder);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn served(port: u16) -> String {
    let output = Command::new("curl").args(["-sf", &format!("http://127.0.0.1:{port}/index.html")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn deploy(environment: &Environment, port: u16, mirrors: &[&Server]) -> Child {
    let urls = mirrors.iter().map(|mirror| mirror.url("")).collect::<Vec<_>>().join(",");
    let service = format!("service=http://127.0.0.1:{port}");
    let command = ["run", "deploy-script", "--json", "-i", &service, "-i", &format!("mirrors={urls}")];
    environment.command(&command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> Ran {
    Ran::of(child.wait_with_output().unwrap())
}

fn outcome(ran: &Ran, step: &str) -> String {
    let events = ran.events();
    let found = events.iter().find(|event| event["event"] == "step-finished" && event["step"] == step);
    found.unwrap_or_else(|| panic!("no step {step}: {}", ran.whole()))["outcome"].as_str().unwrap().to_owned()
}

/// A new version is served; one that is not well is taken back, and the version before is served again.
pub fn runs(environment: &Environment) {
    let folder = environment.workspace().join("public/current");
    let version = |name: &str, health: &str| {
        environment.write("site/index.html", format!("{name}\n")).write("site/health.txt", format!("{health}\n"));
    };
    let port = free_port();
    let mirrors = [[BUSY, OK], [OK, OK], [BUSY, OK]].map(|answers| Server::start(&answers));
    let mirrors: Vec<&Server> = mirrors.iter().collect();

    version("one", "well");
    let child = deploy(environment, port, &mirrors);
    // The service comes late: the run gets to waiting for it, at least.
    let end = Instant::now() + Duration::from_secs(30);
    let uploads = || mirrors.iter().map(|mirror| mirror.requests().len()).collect::<Vec<_>>();
    while uploads() != [2, 1, 2] {
        assert!(Instant::now() < end, "the archive is not uploaded: {:?}", uploads());
        thread::sleep(Duration::from_millis(5));
    }
    assert!(!folder.exists(), "nothing is deployed before the service is there");
    let _web = Web::serve(&folder, port);
    let ran = ended(child);
    assert_eq!(ran.code, 0, "{}", ran.whole());
    assert_eq!(served(port), "one\n");
    let all = mirrors.iter().flat_map(|mirror| mirror.requests());
    assert!(all.into_iter().all(|request| (&*request.method, &*request.path) == ("PUT", "/site.tar.gz")));

    version("two", "well");
    let ran = ended(deploy(environment, port, &mirrors));
    assert_eq!((ran.code, served(port).as_str()), (0, "two\n"), "{}", ran.whole());

    version("three", "ill");
    let ran = ended(deploy(environment, port, &mirrors));
    assert_eq!(ran.code, 1, "{}", ran.whole());
    assert_eq!(served(port), "two\n", "{}", ran.whole());
    assert_eq!(
        [outcome(&ran, "site"), outcome(&ran, "health"), outcome(&ran, "step-4")],
        ["passed", "failed", "passed"]
    );
    assert_eq!(fs::read_dir(environment.workspace().join("public/releases")).unwrap().count(), 3);
}
