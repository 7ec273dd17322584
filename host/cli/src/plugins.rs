//! Plugin references -> what the planner and the engine need of them.

use std::path::Path;

use sluice_engine::inspect;
use sluice_model::{Kind, Lock, Manifest, PluginRef, Problem, Source};
use sluice_plan::PluginInfo;
use sluice_registry::{Builtin, Component, LoadError};

use crate::outside;

/// A plugin that was found and looked at, but neither compiled nor run.
#[derive(Debug)]
pub struct Loaded {
    pub info: PluginInfo,
    pub component: Component,
}

/// Finds and inspects a plugin. Problems have no place yet; whoever knows where the reference stands adds it.
pub fn load(reference: &PluginRef, workspace: &Path) -> Result<Loaded, Problem> {
    let component = sluice_registry::load(reference, workspace).map_err(|error| explain(reference, error))?;
    inspected(reference, component)
}

/// The same for a step: a plugin from outside by its digest, and whatever the lock names as it was accepted.
pub fn load_locked(reference: &PluginRef, lock: &Lock, workspace: &Path) -> Result<Loaded, Problem> {
    let loaded = match reference.is_outside() {
        true => inspected(reference, outside::pinned(reference, lock, workspace)?)?,
        false => load(reference, workspace)?,
    };
    sluice_plan::locked::check(&loaded.info, lock)?;
    Ok(loaded)
}

/// Looks at bytes that were found.
pub fn inspected(reference: &PluginRef, component: Component) -> Result<Loaded, Problem> {
    let info = match &component {
        Component::Builtin(builtin) => builtin_info(reference, builtin)?,
        Component::File { bytes, .. } => file_info(reference, bytes)?,
    };
    Ok(Loaded { info, component })
}

fn builtin_info(reference: &PluginRef, builtin: &Builtin) -> Result<PluginInfo, Problem> {
    let manifest = manifest(reference, builtin.manifest)?;
    let exports = builtin.exports.iter().filter_map(|name| kind_of(name)).collect();
    Ok(PluginInfo {
        reference: reference.clone(),
        digest: sluice_model::Digest::from_bytes(builtin.sha256),
        manifest: Some(manifest),
        exports,
        command: false,
        imports: builtin.imports.iter().map(|&name| name.to_owned()).collect(),
    })
}

/// `sluice:plugin/lint@1.0.0` -> lint
fn kind_of(export: &str) -> Option<Kind> {
    export.strip_prefix("sluice:plugin/")?.split('@').next()?.parse().ok()
}

fn file_info(reference: &PluginRef, bytes: &[u8]) -> Result<PluginInfo, Problem> {
    let inspection = inspect(bytes).map_err(|error| {
        let mut problem = Problem::new(error.code, format!("cannot use `{reference}`: {}", error.message));
        problem.help = error.help;
        problem
    })?;
    let manifest = inspection.manifest_text.as_deref().map(|text| manifest(reference, text)).transpose()?;
    Ok(PluginInfo {
        reference: reference.clone(),
        digest: inspection.digest,
        manifest,
        exports: inspection.exports,
        command: inspection.command,
        imports: inspection.imports,
    })
}

fn manifest(reference: &PluginRef, text: &str) -> Result<Manifest, Problem> {
    let source = Source::new(format!("{reference}: plugin.yaml"), text);
    Manifest::parse(&source).map_err(|problems| {
        let first = problems.into_iter().next();
        let mut problem = Problem::new("plugin::manifest", format!("the manifest of `{reference}` is wrong"));
        if let Some(first) = first {
            problem = problem.cause(first.message);
            problem.help = first.help;
        }
        problem
    })
}

fn explain(reference: &PluginRef, error: LoadError) -> Problem {
    let code = "plugin::not-found";
    match error {
        LoadError::UnknownBuiltin { name } => {
            let problem = Problem::new(code, format!("no plugin is named `{name}`"));
            let near = sluice_model::suggest::closest(&name, sluice_registry::builtin_names());
            problem.help(match near {
                Some(near) => format!("a plugin with a similar name exists: `{near}`"),
                None => format!(
                    "the plugins inside Sluice are {}; a path of your own begins with `./`",
                    sluice_registry::builtin_names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                ),
            })
        }
        LoadError::NotFound { .. } => Problem::new(code, format!("there is no file `{reference}`"))
            .help("paths of plugins start at the workspace, the folder in which the workflow was found"),
        // Asked for by whoever does not know a lock.
        LoadError::Outside => Problem::new(code, format!("`{reference}` is from outside")),
        LoadError::TooLarge { .. } => {
            let limit = sluice_registry::MAX_COMPONENT_BYTES >> 20;
            Problem::new("plugin::too-large", format!("`{reference}` is larger than {limit} MiB"))
                .help("strip debug information, or split the plugin")
        }
        LoadError::Unreadable { error, .. } => {
            Problem::new(code, format!("cannot read `{reference}`")).cause(error.to_string())
        }
    }
}
