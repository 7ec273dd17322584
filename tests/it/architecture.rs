//! The walls of the house (ARCHITECTURE.md), read from `cargo metadata`: invariants written as absences.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

type Graph = BTreeMap<String, BTreeSet<String>>;

/// crate -> normal and build dependencies, by name, of the whole resolved graph
fn dependencies() -> Graph {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name_of: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let mut graph = Graph::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let needed =
            node["deps"].as_array().unwrap().iter().filter(|dependency| {
                dependency["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"] != "dev")
            });
        graph
            .entry(name_of[node["id"].as_str().unwrap()].to_owned())
            .or_default()
            .extend(needed.map(|dependency| name_of[dependency["pkg"].as_str().unwrap()].to_owned()));
    }
    graph
}

/// What this machine builds for: the crates of other platforms need not be there.
fn host() -> String {
    let output = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Everything below a crate, itself not included.
fn reach(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = vec![from];
    while let Some(name) = open.pop() {
        for next in graph.get(name).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    seen
}

/// crate, names (or beginnings with `*`) that nothing below it may have, why
const NEVER_BELOW: &[(&str, &[&str], &str)] = &[
    ("sluice-model", &["sluice-*", "tokio", "wasmtime*"], "the vocabulary has none of our crates below it, and no IO"),
    ("sluice-workflow", &["tokio", "wasmtime*", "tempfile", "sluice-plan"], "parsing touches no file or clock"),
    ("sluice-plan", &["tokio", "wasmtime*", "tempfile", "sluice-run"], "planning touches no file or clock"),
    (
        "sluice-run",
        &["wasmtime*", "miette", "anstyle", "sluice-report", "sluice-record"],
        "a run knows no wasm, terminal or disk",
    ),
    (
        "sluice-report",
        &["sluice-run", "sluice-plan", "sluice-workflow", "wasmtime*", "tokio"],
        "reports see events only",
    ),
    (
        "sluice-record",
        &["sluice-run", "sluice-plan", "sluice-workflow", "wasmtime*", "tokio"],
        "records see events only",
    ),
    (
        "sluice-group",
        &["sluice-run", "sluice-plan", "sluice-workflow", "sluice-record", "wasmtime*", "tokio"],
        "a queue knows runs by name only",
    ),
    (
        "sluice-confine",
        &["sluice-run", "sluice-plan", "sluice-workflow", "wasmtime*", "tokio"],
        "a confinement follows from grants alone",
    ),
    (
        "sluice-registry",
        &["sluice-run", "sluice-plan", "sluice-workflow", "sluice-engine", "hyper", "rustls"],
        "a registry hands out bytes",
    ),
    (
        "sluice-registry-oci",
        &[
            "sluice-run",
            "sluice-plan",
            "sluice-workflow",
            "sluice-engine*",
            "sluice-registry",
            "hyper",
            "rustls",
            "tokio",
        ],
        "a client of registries opens no connection: requests go through a function that it is given",
    ),
];

/// crate, names that it may not use directly, why
const NEVER_DIRECTLY: &[(&str, &[&str], &str)] = &[
    ("sluice-run", &["granit-parser", "sluice-engine"], "a run knows no YAML and reaches the engine through a trait"),
    ("sluice-workflow", &["granit-parser"], "the YAML library stays behind sluice_model::yaml"),
    ("sluice-plan", &["granit-parser"], "the YAML library stays behind sluice_model::yaml"),
];

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

fn violations(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |name: &str, below: &BTreeSet<String>, never: &[&str], why: &str| {
        for other in below {
            if never.iter().any(|pattern| matches(pattern, other)) {
                found.push(format!("`{name}` depends on `{other}`: {why}"));
            }
        }
    };
    for (name, never, why) in NEVER_BELOW {
        check(name, &reach(graph, name), never, why);
    }
    for (name, never, why) in NEVER_DIRECTLY {
        check(name, &graph[*name], never, why);
    }
    let may_use_wasmtime = |name: &str| name.starts_with("sluice-engine") || name.starts_with("sluice-capability");
    for (name, below) in graph.iter().filter(|(name, _)| name.starts_with("sluice")) {
        if below.contains("sluice") {
            found.push(format!("`{name}` depends on `sluice`: nobody depends on the command line"));
        }
        if !may_use_wasmtime(name) && below.iter().any(|other| other.starts_with("wasmtime")) {
            found.push(format!("`{name}` depends on wasmtime: it stays in engine and capability"));
        }
    }
    found
}

#[test]
fn the_walls_stand() {
    assert_eq!(violations(&dependencies()), Vec::<String>::new());
}

#[test]
fn a_broken_wall_is_seen() {
    for (from, to) in [
        ("sluice-run", "wasmtime"),
        ("sluice-workflow", "tokio"),
        ("sluice-report", "sluice-run"),
        ("sluice-record", "sluice-run"),
        ("sluice-engine", "sluice"),
        ("sluice-registry", "wasmtime"),
        ("sluice-registry-oci", "hyper"),
        ("sluice-run", "granit-parser"),
        ("sluice-model", "sluice-plan"),
    ] {
        let mut graph = dependencies();
        graph.get_mut(from).unwrap().insert(to.to_owned());
        assert_ne!(violations(&graph), Vec::<String>::new(), "{from} -> {to}");
    }
}

/// Source text of a crate's `src`, path by path.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

fn assert_absent(folders: &[&str], words: &[&str], why: &str) {
    for folder in folders {
        for (path, text) in sources(folder) {
            let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in words {
                assert!(is_test || !code.contains(word), "{} names `{word}`: {why}", path.display());
            }
        }
    }
}

#[test]
fn only_the_command_line_prints_or_exits() {
    let folders = [
        "host/model/src",
        "host/workflow/src",
        "host/plan/src",
        "host/run/src",
        "host/engine/src",
        "host/engine/compile/src",
        "host/capability",
        "host/registry/src",
        "host/registry/oci/src",
        "host/group/src",
        "host/record/src",
        "host/report/src",
    ];
    assert_absent(
        &folders,
        &["println!", "eprintln!", "print!(", "process::exit"],
        "only the command line prints and exits",
    );
}

#[test]
fn pure_crates_touch_no_file_clock_or_environment() {
    assert_absent(
        &["host/model/src", "host/workflow/src", "host/plan/src"],
        &["std::fs", "std::env", "SystemTime", "Instant::now", "std::net::Tcp", "std::process"],
        "this crate is pure",
    );
}

#[test]
fn the_scheduler_knows_no_clock_and_no_runtime() {
    let (_, text) = sources("host/run/src").into_iter().find(|(path, _)| path.ends_with("scheduler.rs")).unwrap();
    for word in ["tokio", "async ", "Instant", "SystemTime", "std::time"] {
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        assert!(!code.any(|line| line.contains(word)), "the scheduler names `{word}`");
    }
}
