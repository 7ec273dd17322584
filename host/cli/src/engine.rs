//! The engine, with what this machine has.

use std::path::Path;

use sluice_engine::{CompilerCommand, GuardCommand, Plugin, SecretValues, Settings, WasmRunner};
use sluice_model::Problem;
use sluice_registry::Component;

use crate::{host, secrets};

/// The first argument of the process that ends the programs of a run that was killed. Not for people.
pub const GUARD: &str = "__guard";

/// The first argument of the process that compiles a component. Not for people.
pub const COMPILER: &str = "__compile";

/// Starts it.
pub fn engine(workspace: &Path, secrets: SecretValues, protected: Vec<String>) -> Result<WasmRunner, Problem> {
    let program = std::env::current_exe().ok();
    let guard = program.clone().map(|program| GuardCommand { program, argument: GUARD.to_owned() });
    let compiler = program.map(|program| CompilerCommand { program, argument: COMPILER.to_owned() });
    WasmRunner::new(Settings {
        workspace: workspace.to_owned(),
        compile_cache: host::cache_folder().map(|folder| folder.join("compiled")),
        protected,
        artifacts: workspace.join(".sluice/artifacts"),
        secrets,
        guard,
        compiler,
        host_env: secrets::environment_without_secrets(),
    })
    .map_err(|reason| Problem::new("host::internal", "the engine could not be started").cause(reason))
}

/// What the engine needs to know of a component.
pub fn plugin(component: Component, declared: Vec<sluice_model::grant::Capability>) -> Plugin {
    let digest = component.digest();
    match component {
        Component::Builtin(builtin) => {
            Plugin { digest, bytes: builtin.wasm.into(), precompiled: Some(builtin.precompiled), declared }
        }
        Component::File { bytes, .. } => Plugin { digest, bytes: bytes.into(), precompiled: None, declared },
    }
}
