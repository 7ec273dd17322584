//! `tests/hostile`: a folder a misdeed, each with the outcome that it must have. All are contained, or the build fails.
//!
//! A case is a folder with `sluice.yaml`. Its first lines say what the test is about:
//!
//! ```yaml
//! # tries: read a file above the workspace
//! # ends: 1                            the exit code
//! # says: Operation not permitted      somewhere in the output; any number of these
//! # hides: text                        nowhere in the output; any number of these
//! # runs: check                        arguments instead of `run`
//! # may-send: why                      the server may get the canary
//! ```
//!
//! `setup.sh` makes the place ready before, `check.sh` looks at it afterwards; both run in the workspace and see `$OUTSIDE` (a
//! folder beside it with `secret.txt`), `$HOME`, `$SERVER` and `$SLUICE`. The workspace has `plugins/command.wasm`, a plain WASI
//! program, and `plugins/task.wasm`, a plugin that asks for what its inputs say; both do as they are told, as badly as they can
//! (`tests/guests/hostile`). The server remembers who asked it.
//!
//! Whatever a case does, the canary must not be found: not in the output, not in the record, not in a request.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;

use crate::environment::{Environment, guest, repository};
use crate::server::{OK, Server};

/// What nobody may find, in a file outside of the workspace, in a variable and in a secret.
const CANARY: &str = "canary-6d1f0c9e-sings";
/// No fewer than these: the ones that are known of WebAssembly hosts, and at least twenty of our own.
const CASES: usize = 52;

static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// The task guest with the manifest of these tests.
static TASK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let environment = Environment::new();
    environment.write("task.wasm", guest("hostile-task.wasm"));
    let manifest = repository().join("tests/hostile/plugin.yaml");
    let arguments = ["plugin", "pack", "task.wasm", manifest.to_str().unwrap(), "--output", "packed.wasm"];
    environment.sluice(&arguments).exits_with(0);
    fs::read(environment.workspace().join("packed.wasm")).unwrap()
});

/// A component that takes a compiler gigabytes: a function in which thousands of variables are alive at the head of each of
/// many loops.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    const VARIABLES: usize = 20_000;
    const LOOPS: usize = 100;
    let mut body = String::new();
    for _ in 0..LOOPS {
        body.push_str("(loop ");
    }
    for variable in 0..VARIABLES {
        let _ = write!(body, "(local.set {variable} (i64.add (local.get {variable}) (i64.const 1)))");
    }
    for at in 0..LOOPS {
        let _ = write!(body, "(br_if 0 (i64.eqz (local.get {at}))))");
    }
    let variables = "i64 ".repeat(VARIABLES);
    let text = format!(
        r#"(component
          (core module $m (func (export "run") (result i32) (local {variables}) {body} (i32.const 0)))
          (core instance $i (instantiate $m))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (component $c (import "f" (func $f (result (result)))) (export "run" (func $f)))
          (instance $exports (instantiate $c (with "f" (func $run))))
          (export "wasi:cli/run@0.2.0" (instance $exports)))"#
    );
    wat::parse_str(text).unwrap()
});

struct Case {
    name: String,
    folder: PathBuf,
    tries: String,
    ends: i32,
    says: Vec<String>,
    hides: Vec<String>,
    runs: Vec<String>,
    may_send: bool,
}

impl Case {
    fn read(folder: PathBuf) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("sluice.yaml")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let head: Vec<(&str, &str)> = text
            .lines()
            .map_while(|line| line.strip_prefix("# "))
            .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{name}: `{line}` says nothing")))
            .collect();
        let all = |key: &str| -> Vec<String> {
            head.iter().filter(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned()).collect()
        };
        let known = ["tries", "ends", "says", "hides", "runs", "may-send"];
        head.iter().for_each(|(key, _)| assert!(known.contains(key), "{name}: unknown `{key}`"));
        let one = |key: &str| all(key).pop().unwrap_or_else(|| panic!("{name}: no `{key}`"));
        let runs = all("runs").pop().unwrap_or_else(|| "run".to_owned());
        Self {
            tries: one("tries"),
            ends: one("ends").parse().unwrap(),
            says: all("says"),
            hides: all("hides"),
            may_send: !all("may-send").is_empty(),
            runs: runs.split(' ').map(str::to_owned).collect(),
            name,
            folder,
        }
    }

    /// What is wrong; nothing if the case is contained.
    fn run(&self) -> Vec<String> {
        let mut environment = Environment::new();
        let workspace = environment.workspace();
        let outside = workspace.parent().unwrap().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret.txt"), CANARY).unwrap();
        fs::create_dir_all(environment.home().join(".ssh")).unwrap();
        fs::write(environment.home().join(".ssh/id_ed25519"), CANARY).unwrap();
        copy(&self.folder, &workspace);
        environment.write("plugins/command.wasm", guest("hostile-command.wasm")).write("plugins/task.wasm", &*TASK);
        environment.write("plugins/bare.wasm", guest("hostile-task.wasm"));
        if self.name.ends_with("compile-bomb") {
            environment.write("plugins/bomb.wasm", &*BOMB);
        }
        let server = Server::start(&[OK]);
        let address = server.address.clone();
        environment
            .variable("XDG_CACHE_HOME", CACHE.path().to_str().unwrap())
            .variable("OUTSIDE", outside.to_str().unwrap())
            .variable("SERVER", &address)
            .variable("AWS_SECRET_ACCESS_KEY", CANARY)
            .variable("SLUICE_SECRET_CANARY", CANARY);
        let mut wrong = Vec::new();
        self.script(&environment, "setup.sh", &mut wrong);
        let workflow = fs::read_to_string(workspace.join("sluice.yaml")).unwrap();
        environment
            .write("sluice.yaml", workflow.replace("SERVER", &address).replace("OUTSIDE", outside.to_str().unwrap()));
        let ran = environment.sluice(&self.runs);
        // A sentence may be broken within a frame.
        let said = ran.unwrapped().replace("│ ", "");
        let whole = ran.whole();
        if ran.code != self.ends {
            wrong.push(format!("ended with {} and not with {}", ran.code, self.ends));
        }
        wrong.extend(self.says.iter().filter(|text| !said.contains(*text)).map(|text| format!("did not say `{text}`")));
        wrong.extend(self.hides.iter().filter(|text| said.contains(*text)).map(|text| format!("said `{text}`")));
        if whole.contains(CANARY) {
            wrong.push("the canary is in the output".to_owned());
        }
        if contains(&workspace.join(".sluice"), CANARY.as_bytes()) {
            wrong.push("the canary is in the record".to_owned());
        }
        if !self.may_send && server.requests().iter().any(|request| format!("{request:?}").contains(CANARY)) {
            wrong.push("the canary was sent".to_owned());
        }
        environment.variable("REQUESTS", &server.requests().len().to_string());
        self.script(&environment, "check.sh", &mut wrong);
        if !wrong.is_empty() {
            wrong.push(whole);
        }
        wrong
    }

    fn script(&self, environment: &Environment, name: &str, wrong: &mut Vec<String>) {
        let path = environment.workspace().join(name);
        if !path.exists() {
            return;
        }
        // Any command of the environment has its variables; only these are wanted.
        let like = environment.command(&["--version"]);
        let mut command = Command::new("sh");
        command.args(["-eu", path.to_str().unwrap()]).current_dir(environment.workspace()).env_clear();
        command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("SLUICE", crate::environment::binary());
        let output = command.output().unwrap();
        if !output.status.success() {
            wrong.push(format!("{name}: {} {}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
        let _ = fs::remove_file(path);
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Whether any file below holds the bytes.
fn contains(folder: &Path, wanted: &[u8]) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => contains(&entry.path(), wanted),
        Ok(kind) if kind.is_file() => {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            bytes.windows(wanted.len()).any(|window| window == wanted)
        }
        _ => false,
    })
}

#[test]
fn every_misdeed_is_contained() {
    let folder = repository().join("tests/hostile");
    let wanted = std::env::var("HOSTILE_CASE").unwrap_or_default();
    let mut cases: Vec<Case> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && path.to_string_lossy().contains(&wanted))
        .map(Case::read)
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    let next = AtomicUsize::new(0);
    let results = Mutex::new(vec![None; cases.len()]);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(case) = cases.get(index) else { return };
                    let wrong = case.run();
                    results.lock().unwrap()[index] = Some(wrong);
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    let (mut table, mut failures) = (String::new(), String::new());
    for (case, wrong) in cases.iter().zip(results) {
        let wrong = wrong.unwrap();
        let verdict = if wrong.is_empty() { "contained" } else { "NOT CONTAINED" };
        let _ = writeln!(table, "{:34} {:72} exit {:3} {verdict}", case.name, case.tries, case.ends);
        if !wrong.is_empty() {
            let _ = writeln!(failures, "\n== {}\n{}", case.name, wrong.join("\n"));
        }
    }
    println!("{table}");
    assert!(failures.is_empty(), "{table}{failures}");
    assert!(!wanted.is_empty() || cases.len() >= CASES, "{} cases of {CASES}", cases.len());
}
