//! What the next run is about: files that have changed since everything that concerns them passed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sluice_model::PluginRef;

use crate::discover::{self, Found};
use crate::prepare::Prepared;

#[derive(Debug, Default)]
pub struct Concern {
    /// Relative to the workspace; `None` for everything.
    files: Option<BTreeSet<String>>,
    /// Components that the workflow uses, and workflows that it calls.
    plugins: BTreeSet<PathBuf>,
}

impl Concern {
    /// For the planner; `None` for everything.
    pub fn files(&self) -> Option<Vec<String>> {
        Some(self.files.as_ref()?.iter().cloned().collect())
    }

    /// This is about to run.
    pub fn plan(&mut self, prepared: &Prepared, found: &Found) {
        let files = prepared.workflow.files();
        let paths = files.iter().flat_map(|file| file.all_steps()).filter_map(|step| match &step.uses.value {
            PluginRef::Path(path) => Some(found.workspace.join(path)),
            PluginRef::Builtin(_) | PluginRef::Oci(_) | PluginRef::Url(_) => None,
        });
        let called = prepared.called.iter().map(|file| found.workspace.join(file.name()));
        let lock = found.workspace.join(sluice_model::lock::FILE);
        self.plugins = paths.chain(called).chain([lock]).collect();
    }

    /// It has passed. What fails or is cancelled stays a concern of the next run.
    pub fn nothing(&mut self) {
        self.files = Some(BTreeSet::new());
    }

    /// These have changed. A workflow, or a plugin that it uses, concerns every job.
    pub fn add(&mut self, changed: &BTreeSet<PathBuf>, found: &Found) {
        let workflows: BTreeSet<PathBuf> =
            discover::in_workspace(&found.workspace).into_iter().map(|found| found.file).collect();
        let every = |path: &PathBuf| *path == found.file || workflows.contains(path) || self.plugins.contains(path);
        if changed.iter().any(every) {
            self.files = None;
        }
        let relative = changed.iter().filter_map(|path| path.strip_prefix(&found.workspace).ok());
        if let Some(files) = &mut self.files {
            files.extend(relative.map(|path| path.to_string_lossy().into_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_pass_stays() {
        let root = tempfile::tempdir().unwrap();
        let workspace = root.path().to_owned();
        std::fs::write(workspace.join("sluice.yaml"), "").unwrap();
        std::fs::create_dir(workspace.join("workflows")).unwrap();
        std::fs::write(workspace.join("workflows/other.yaml"), "").unwrap();
        let found = Found { file: workspace.join("sluice.yaml"), workspace: workspace.clone() };
        let changed = |paths: &[&str]| paths.iter().map(|path| workspace.join(path)).collect::<BTreeSet<_>>();
        let mut concern = Concern::default();
        concern.add(&changed(&["a"]), &found);
        assert_eq!(concern.files(), None, "the first run has not passed");
        concern.nothing();
        concern.add(&changed(&["src/a.rs"]), &found);
        concern.add(&changed(&["b"]), &found);
        assert_eq!(concern.files(), Some(vec!["b".to_owned(), "src/a.rs".to_owned()]));
        for file in ["sluice.yaml", "workflows/other.yaml", "vendor/x.wasm"] {
            concern.nothing();
            concern.plugins = [workspace.join("./vendor/x.wasm")].into();
            concern.add(&changed(&["b", file]), &found);
            assert_eq!(concern.files(), None, "{file}");
        }
    }
}
