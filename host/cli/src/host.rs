//! What commands ask of the machine.

use std::path::{Path, PathBuf};

use sluice_model::grant::Capability;
use sluice_model::{PluginRef, Problem};
use sluice_plan::Plan;
use tokio::runtime::{Builder, Runtime};

/// Threads for timers, sockets and pipes; steps have threads of their own.
const WORKERS: usize = 2;

/// The run-time under the engine.
pub fn runtime() -> Result<Runtime, Problem> {
    Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Problem::new("host::internal", "the system gives no threads").cause(error.to_string()))
}

/// `sluice` in the user's cache folder, if the environment names one.
pub fn cache_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("sluice"))
}

/// `sluice` in the user's folder for what outlives a run, if the environment names one.
pub fn state_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("sluice"))
}

/// A program on the search path, outside the workspace: a step could have planted one there.
pub fn program(name: &str, workspace: &Path) -> Option<PathBuf> {
    let path: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    sluice_engine::find_program(name, &path, &workspace.canonicalize().ok()?)
}

/// The capabilities that the manifest of a planned plugin declares.
pub fn declared(plan: &Plan, reference: &PluginRef) -> Vec<Capability> {
    let step = plan.all_steps().find(|step| step.uses == *reference);
    let manifest = step.and_then(|step| step.manifest.as_ref());
    manifest.into_iter().flat_map(|manifest| &manifest.capabilities).map(|declaration| declaration.capability).collect()
}
