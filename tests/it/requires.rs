//! `requires`: what this machine lacks is told before anything runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::environment::Environment;

fn with(requires: &str) -> Environment {
    let environment = Environment::new();
    environment.write("sluice.yaml", format!("requires: {{{requires}}}\nsteps:\n- run: touch ran\n"));
    environment
}

/// A folder outside the workspace that comes first on the search path.
fn program(environment: &mut Environment, name: &str, script: &str) {
    let folder = environment.workspace().parent().unwrap().join("home/bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    environment.variable("PATH", &format!("{}:{path}", folder.display()));
}

#[test]
fn what_is_there_lets_the_run_begin() {
    let os = std::env::consts::OS;
    let environment = with(&format!("commands: {{git: '>=2, <100', sh: '*'}}, disk: 1MiB, os: {os}, sluice: '>=0.1'"));
    environment.sluice(&["run"]).exits_with(0);
    assert!(environment.workspace().join("ran").exists());
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let environment =
        with("commands: {git: '>=99', no-such-program: '*'}, disk: 99999999GiB, os: macos, sluice: '>=99'");
    let ran = environment.sluice(&["run"]).exits_with(2);
    for text in [
        "`git` is version ",
        ", and >=99 is required",
        "the program `no-such-program` is not there",
        " of disk space are free, and 99999999GiB are required",
        "this is Sluice ",
        "sluice.yaml:1:28",
    ] {
        assert!(ran.stderr.contains(text), "`{text}` is not in\n{}", ran.stderr);
    }
    assert_eq!(ran.stderr.contains("this machine runs `linux`"), cfg!(target_os = "linux"), "{}", ran.stderr);
    assert!(!environment.workspace().join("ran").exists(), "nothing ran");
    assert!(!environment.workspace().join(".sluice").exists(), "nothing is recorded");

    let plan = environment.sluice(&["plan"]).exits_with(0);
    assert!(
        plan.stdout.contains("  requires git >=99\n  requires no-such-program *\n  requires disk "),
        "{}",
        plan.stdout
    );
    environment.sluice(&["check"]).exits_with(0);
}

#[test]
fn the_user_is_looked_at() {
    let (root, other) = (with("user: root"), with("user: non-root"));
    let root = root.sluice(&["run"]).code;
    let other = other.sluice(&["run"]).code;
    assert!(matches!((root, other), (0, 2) | (2, 0)), "root {root}, non-root {other}");
}

#[test]
fn programs_answer_in_many_ways() {
    for (script, code, expected) in [
        ("echo tool-1.7.1", 0, ""),
        ("echo 'tool v1.2' >&2", 0, ""),
        ("echo none", 2, "`tool --version` prints nothing that looks like a version"),
        ("echo 1.7; exit 3", 2, "`tool --version` ended with exit code 3"),
        ("kill -9 $$", 2, "`tool --version` was ended by a signal"),
        ("yes 1.7 | head -c 1000000", 0, ""),
        ("test \"$1\" = --version && test $# = 1 && echo 1.0", 0, ""),
    ] {
        let mut environment = with("commands: {tool: ^1}");
        program(&mut environment, "tool", script);
        let ran = environment.sluice(&["run"]);
        assert_eq!(ran.code, code, "{script}\n{}", ran.whole());
        assert!(ran.stderr.contains(expected), "{script}\n{}", ran.stderr);
    }
}

#[test]
fn a_program_that_hangs_is_ended() {
    let mut environment = with("commands: {slow: ^1, slower: ^1}");
    let children = environment.workspace().join("children");
    for name in ["slow", "slower"] {
        program(&mut environment, name, &format!("sleep 1000 & echo $! >> '{}'; sleep 1000", children.display()));
    }
    let start = Instant::now();
    let ran = environment.sluice(&["run"]).exits_with(2);
    assert!(start.elapsed() < Duration::from_secs(60), "both are asked at once: {:?}", start.elapsed());
    assert!(ran.stderr.contains("`slow --version` did not answer within 10 s"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`slower --version` did not answer within 10 s"), "{}", ran.stderr);
    for pid in fs::read_to_string(children).unwrap().lines() {
        let lives = || {
            let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !state.is_empty() && !state.contains(") Z ")
        };
        // It was told to end; on a busy machine the system takes a moment for that.
        let end = Instant::now() + Duration::from_secs(10);
        while lives() {
            assert!(Instant::now() < end, "{pid} outlived the question");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_planted_program_is_not_asked() {
    let mut environment = with("commands: {planted: '*'}");
    environment.write("planted", "#!/bin/sh\ntouch asked\necho 1.0\n");
    fs::set_permissions(environment.workspace().join("planted"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    environment.variable("PATH", &format!(".:{}:{path}", environment.workspace().display()));
    let ran = environment.sluice(&["run"]).exits_with(2);
    assert!(ran.stderr.contains("the program `planted` is not there"), "{}", ran.stderr);
    assert!(!environment.workspace().join("asked").exists());
}

/// What a run required is looked for again when it goes on, here after what it found was taken away.
#[test]
fn a_run_that_goes_on_requires_the_same() {
    let mut environment = Environment::new();
    let folder = environment.workspace().parent().unwrap().join("programs");
    fs::create_dir(&folder).unwrap();
    let program = folder.join("sluice-test-program");
    fs::write(&program, "#!/bin/sh\necho 1.2.3\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    environment.variable("PATH", &path);
    environment
        .write("sluice.yaml", "requires: {commands: {sluice-test-program: \">=1\"}}\nsteps:\n  - run: test -e ok\n");
    environment.sluice(&["run"]).exits_with(1);
    fs::remove_file(&program).unwrap();
    for command in [&["rerun"][..], &["resume", "--from", "main"]] {
        let ran = environment.sluice(command).exits_with(2);
        assert!(ran.stderr.contains("plan::unmet-requirement"), "{}", ran.whole());
    }
}
