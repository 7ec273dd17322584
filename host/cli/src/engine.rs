//! The engine, with what this machine has.

use std::io::Write;
use std::path::Path;

use sluice_engine::{
    Code, CompilerCommand, GuardCommand, Plugin, Protection, SecretValues, Settings, WasmRunner, WorkerCommand,
};
use sluice_model::Problem;
use sluice_registry::Component;

use crate::{confinement, exit, host, secrets};

/// The first argument of the process that ends the programs of a run that was killed. Not for people.
pub const GUARD: &str = "__guard";

/// The first argument of the process that compiles a component. Not for people.
pub const COMPILER: &str = "__compile";

/// The first argument of the process that runs steps of plugins from outside. Not for people.
pub const WORKER: &str = "__worker";

/// Its second argument where the system cannot confine it.
const UNCONFINED: &str = "unconfined";

/// Starts it.
pub fn engine(workspace: &Path, secrets: SecretValues, protected: Vec<String>) -> Result<WasmRunner, Problem> {
    let program = std::env::current_exe().ok();
    let guard = program.clone().map(|program| GuardCommand { program, argument: GUARD.to_owned() });
    let compiler = program.clone().map(|program| CompilerCommand { program, argument: COMPILER.to_owned() });
    let worker = program.map(|program| WorkerCommand { program, arguments: worker_arguments() });
    WasmRunner::new(Settings {
        workspace: workspace.to_owned(),
        compile_cache: host::cache_folder()
            .map(|folder| folder.join("compiled"))
            .filter(|folder| !is_within(folder, workspace)),
        protected,
        artifacts: workspace.join(".sluice/artifacts"),
        secrets,
        guard,
        compiler,
        worker,
        launcher: confinement::launcher(),
        protection: Protection::ByLauncher,
        scratch: std::env::temp_dir(),
        host_env: secrets::environment_without_secrets(),
    })
    .map_err(|reason| Problem::new("host::internal", "the engine could not be started").cause(reason))
}

/// Whether a folder, which need not exist yet, is one of the workspace. There a step could read the key of the cache, and put
/// machine code of its own beside it.
fn is_within(folder: &Path, workspace: &Path) -> bool {
    let real = folder.ancestors().find_map(|above| above.canonicalize().ok());
    match (real, workspace.canonicalize()) {
        (Some(real), Ok(workspace)) => real.starts_with(workspace),
        _ => true,
    }
}

/// What the engine needs to know of a component.
pub fn plugin(component: Component, declared: Vec<sluice_model::grant::Capability>) -> Plugin {
    let digest = component.digest();
    match component {
        Component::Builtin(builtin) => Plugin {
            digest,
            bytes: builtin.wasm.into(),
            precompiled: Some(Code::Embedded(builtin.precompiled)),
            declared,
        },
        Component::File { bytes, .. } => Plugin { digest, bytes: bytes.into(), precompiled: None, declared },
    }
}

/// Where the system cannot confine them, workers are processes of their own all the same.
fn worker_arguments() -> Vec<String> {
    let how = confinement::abilities().why_not().map(|_| UNCONFINED.to_owned());
    [WORKER.to_owned()].into_iter().chain(how).collect()
}

/// What the process that runs steps of plugins from outside does.
pub fn worker() -> u8 {
    let confined = std::env::args_os().nth(2).is_none_or(|argument| argument != UNCONFINED);
    let guard = std::env::current_exe().ok().map(|program| GuardCommand { program, argument: GUARD.to_owned() });
    let launcher = confinement::launcher().filter(|_| confined);
    match sluice_engine::serve(std::io::stdin(), std::io::stdout(), guard, launcher, confined) {
        Ok(()) => exit::PASSED,
        Err(reason) => {
            // The run tells it, if it is still there.
            let _ = writeln!(std::io::stderr(), "{reason}");
            exit::INTERNAL
        }
    }
}
