//! Where the component under test comes from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::call::Call;

/// A component under test. Every method that sets something begins a [`Call`].
#[derive(Debug, Clone)]
pub struct Plugin {
    pub(crate) bytes: Vec<u8>,
}

impl Plugin {
    /// Builds the plugin whose `Cargo.toml` is in `folder`, for `wasm32-wasip2`, once a process: in the profile
    /// `plugin` if the workspace has one, otherwise in `release`. What is up to date is not built again.
    ///
    /// # Panics
    /// When it does not build; cargo's messages are on standard error.
    pub fn build(folder: impl AsRef<Path>) -> Self {
        static BUILT: Mutex<BTreeMap<PathBuf, Plugin>> = Mutex::new(BTreeMap::new());
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        built.entry(folder.as_ref().to_owned()).or_insert_with_key(|folder| Self::load(build(folder))).clone()
    }

    /// Reads a component.
    ///
    /// # Panics
    /// When the file cannot be read.
    pub fn load(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        match std::fs::read(path) {
            Ok(bytes) => Self { bytes },
            Err(error) => panic!("cannot read the component `{}`: {error}", path.display()),
        }
    }

    /// Takes the bytes of a component.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into() }
    }

    /// The bytes of the component.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A call with the workspace `folder`.
    #[must_use]
    pub fn workspace(&self, folder: impl AsRef<Path>) -> Call {
        Call::new(self).workspace(folder)
    }

    /// A call with these inputs, and without a workspace.
    #[must_use]
    pub fn inputs(&self, inputs: Value) -> Call {
        Call::new(self).inputs(inputs)
    }
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stderr(Stdio::inherit());
    command
}

fn profile(folder: &Path) -> &'static str {
    let located = cargo(folder).args(["locate-project", "--workspace", "--message-format", "plain"]).output();
    let root = located.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let text = root.and_then(|root| std::fs::read_to_string(root.trim()).ok()).unwrap_or_default();
    if text.lines().any(|line| line.trim() == "[profile.plugin]") { "plugin" } else { "release" }
}

/// Builds and says where the component is.
fn build(folder: &Path) -> PathBuf {
    let mut command = cargo(folder);
    command.args([
        "build",
        "--profile",
        profile(folder),
        "--lib",
        "--target",
        "wasm32-wasip2",
        "--message-format",
        "json-render-diagnostics",
    ]);
    // A folder of its own beside the tests' (TARGET/PROFILE/deps/TEST), so that no other build is waited for.
    if let Some(target) = std::env::current_exe().ok().as_deref().and_then(|test| test.ancestors().nth(3)) {
        command.arg("--target-dir").arg(target.join("plugins"));
    }
    if let Some(rustc) = fallback_compiler() {
        command.env("RUSTC", rustc);
    }
    let output = command.output().expect("cargo can be started");
    assert!(output.status.success(), "the plugin in `{}` does not build for wasm32-wasip2", folder.display());
    let messages = String::from_utf8_lossy(&output.stdout);
    messages.lines().filter_map(|line| component(folder, line)).next_back().unwrap_or_else(|| {
        panic!("the crate in `{}` makes no component; it needs `crate-type = [\"cdylib\", \"rlib\"]`", folder.display())
    })
}

/// The component that a line of cargo's messages tells of, if it is of the crate in `folder`.
fn component(folder: &Path, line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let manifest = Path::new(message["manifest_path"].as_str()?).canonicalize().ok()?;
    if message["reason"] != "compiler-artifact" || manifest != folder.join("Cargo.toml").canonicalize().ok()? {
        return None;
    }
    let mut files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    files.rfind(|file| file.ends_with(".wasm")).map(PathBuf::from)
}

/// What `sdk/wasm-target-debian.sh` assembled, if this toolchain has no standard library for the target.
fn fallback_compiler() -> Option<OsString> {
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => Path::new(&std::env::var_os("HOME")?).join(".cache"),
    };
    let compiler = cache.join("sluice/wasm-toolchain/usr/bin/rustc");
    if !compiler.is_file() {
        return None;
    }
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Command::new(rustc).args(["--print", "target-libdir", "--target", "wasm32-wasip2"]).output().ok()?;
    let libraries = PathBuf::from(String::from_utf8(printed.stdout).ok()?.trim());
    let mut files = std::fs::read_dir(libraries).into_iter().flatten().flatten();
    let present = files.any(|file| file.file_name().to_string_lossy().starts_with("libstd-"));
    (!present).then(|| compiler.into_os_string())
}
