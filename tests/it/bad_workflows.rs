//! What is wrong with a workflow is told before anything runs: exit code 2, every problem, with its place and a help.
//!
//! A case is a folder of `tests/cases/bad`: a workspace with a `sluice.yaml`, and the whole output in `output.snap`; what
//! stands there as `NAME.wat` is assembled to the component `NAME.wasm`. To add one, write the folder, run the tests, and accept the output with `cargo insta accept` once it reads well.

use std::fs;
use std::path::Path;

use crate::environment::{Environment, repository};

fn copy(from: &Path, to: &Environment, prefix: &str) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            copy(&path, to, &format!("{name}/"));
        } else if let Some(component) = name.strip_suffix(".wat") {
            to.write(&format!("{component}.wasm"), wat::parse_file(&path).unwrap());
        } else if !name.contains(".snap") {
            to.write(&name, fs::read(&path).unwrap());
        }
    }
}

#[track_caller]
fn refused(environment: &Environment, snapshots: &Path, name: &str) {
    let ran = environment.sluice(&["run"]).exits_with(2);
    assert_eq!(ran.stdout, "", "{name}: results go to standard output, problems do not");
    assert!(!environment.workspace().join(".sluice/runs").exists(), "{name}: nothing ran, so nothing is recorded");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(snapshots);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, ran.whole()));
}

#[test]
fn every_bad_workflow_is_refused() {
    let cases = repository().join("tests/cases/bad");
    let mut folders: Vec<_> = fs::read_dir(&cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(folders.len() >= 25, "only {} cases", folders.len());
    for folder in folders {
        let environment = Environment::new();
        copy(&folder, &environment, "");
        refused(&environment, &folder, "output");
    }
}

/// Files that are too large or too odd to stand in a repository.
#[test]
fn odd_files_are_refused() {
    let snapshots = repository().join("tests/cases/odd");
    let bomb = {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        text.into_bytes()
    };
    let long = format!("steps:\n  - run: echo hi\n# {}\n", "x".repeat(10 << 20)).into_bytes();
    let deep = format!("steps: {}{}\n", "[".repeat(20_000), "]".repeat(20_000)).into_bytes();
    for (name, content) in [
        ("alias-bomb", bomb),
        ("ten-megabytes", long),
        ("deep-nesting", deep),
        ("empty", Vec::new()),
        ("only-a-comment", b"# nothing yet\n".to_vec()),
        ("not-utf-8", b"name: caf\xe9\nsteps:\n  - run: echo hi\n".to_vec()),
        ("nul-byte", b"name: a\0b\nsteps:\n  - run: echo hi\n".to_vec()),
        ("two-documents", b"steps:\n  - run: echo 1\n---\nsteps:\n  - run: echo 2\n".to_vec()),
    ] {
        let environment = Environment::new();
        environment.write("sluice.yaml", content);
        refused(&environment, &snapshots, name);
    }
}
