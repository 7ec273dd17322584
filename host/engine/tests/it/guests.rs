//! Builds the guests once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The components in `tests/guests/hostile`, built by Cargo, which does nothing when they are up to date.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("guests");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--locked", "--target", "wasm32-wasip2"])
        .current_dir(root.join("tests/guests/hostile"))
        .env("CARGO_TARGET_DIR", &target)
        // What the tests' own build was told is not for another target.
        .env_remove("RUSTFLAGS")
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the guests must build");
    target.join("wasm32-wasip2/release")
}

fn read(name: &str) -> Vec<u8> {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(build);
    std::fs::read(FOLDER.join(name)).expect("a guest was built")
}

pub static COMMAND: LazyLock<Vec<u8>> = LazyLock::new(|| read("hostile-command.wasm"));
pub static TASK: LazyLock<Vec<u8>> = LazyLock::new(|| read("hostile_task.wasm"));

/// A command that grows a table without end, which no compiler would write.
pub static TABLES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    by_hand(
        r#"
        (table $t 1 funcref)
        (func (export "run") (result i32)
          (loop $again
            (drop (table.grow $t (ref.null func) (i32.const 100000)))
            (br $again))
          (i32.const 0))
        "#,
    )
});

/// A command that recurses without end and without linear memory.
pub static STACK: LazyLock<Vec<u8>> =
    LazyLock::new(|| by_hand(r#"(func $f (export "run") (result i32) (i32.add (call $f) (i32.const 1)))"#));

/// A command around the fields of a core module, which exports `run`.
fn by_hand(fields: &str) -> Vec<u8> {
    let text = format!(
        r#"
        (component
          (core module $m {fields})
          (core instance $i (instantiate $m))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (component $c (import "f" (func $f (result (result)))) (export "run" (func $f)))
          (instance $exports (instantiate $c (with "f" (func $run))))
          (export "wasi:cli/run@0.2.0" (instance $exports)))
        "#
    );
    wat::parse_str(text).expect("the text is valid")
}
