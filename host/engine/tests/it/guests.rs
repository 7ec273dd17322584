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
