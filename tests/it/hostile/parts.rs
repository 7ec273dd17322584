//! What cases need that no folder can hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::environment::{Environment, guest, repository};
use crate::registry::Registry;

/// The cache of all cases that do not have one of their own, so that each guest is compiled once.
pub static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// Ends with the tests, since its standard input does.
pub static REGISTRY: LazyLock<Option<Registry>> = LazyLock::new(Registry::start);

/// The task guest with the manifest of these tests.
pub static TASK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let environment = Environment::new();
    environment.write("task.wasm", guest("hostile-task.wasm"));
    let manifest = repository().join("tests/hostile/plugin.yaml");
    let arguments = ["plugin", "pack", "task.wasm", manifest.to_str().unwrap(), "--output", "packed.wasm"];
    environment.sluice(&arguments).exits_with(0);
    fs::read(environment.workspace().join("packed.wasm")).unwrap()
});

/// A library that answers for names in place of the system's: `tests/hostile/names.c`.
pub static NAMES: LazyLock<PathBuf> = LazyLock::new(|| {
    let library = CACHE.path().join("names.so");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(repository().join("tests/hostile/names.c"))
        .arg("-ldl")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
});

/// A component that takes a compiler gigabytes: thousands of values wait on the stack while thousands of blocks pass, and the
/// compiler keeps for each block which of the values live.
pub static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    const VALUES: usize = 100_000;
    const BLOCKS: usize = 30_000;
    let values = "(call $f) ".repeat(VALUES);
    let blocks = "(block (br_if 0 (i32.load (i32.const 8)))) ".repeat(BLOCKS);
    let sum = "i64.add ".repeat(VALUES - 1);
    let text = format!(
        r#"(component
          (core module $m
            (memory 1)
            (func $f (result i64) (i64.const 1))
            (func (export "run") (result i32) {values} {blocks} {sum} i32.wrap_i64))
          (core instance $i (instantiate $m))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (component $c (import "f" (func $f (result (result)))) (export "run" (func $f)))
          (instance $exports (instantiate $c (with "f" (func $run))))
          (export "wasi:cli/run@0.2.0" (instance $exports)))"#
    );
    wat::parse_str(text).unwrap()
});

/// Makes a component of each text in a folder.
pub fn assemble(folder: &Path) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|extension| extension == "wat") {
            let bytes = wat::parse_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            fs::write(path.with_extension("wasm"), bytes).unwrap();
        }
    }
}
