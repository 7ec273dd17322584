//! Finds the workflow that a command means, and the workspace it belongs to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sluice_model::Problem;

/// A workflow file and the folder that its steps see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub file: PathBuf,
    pub workspace: PathBuf,
}

impl Found {
    /// What messages call the file: its path below the workspace.
    pub fn display_name(&self) -> String {
        self.file.strip_prefix(&self.workspace).unwrap_or(&self.file).display().to_string()
    }

    /// The name of the workflow unless it gives itself another.
    pub fn stem(&self) -> String {
        self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Folders in which workflows stand, relative to a workspace, in order of preference.
const FOLDERS: [&str; 2] = [".sluice", "workflows"];
const SINGLE_FILES: [&str; 2] = ["sluice.yaml", "sluice.yml"];

/// All places where workflows stand, relative to a workspace.
pub const WORKFLOW_PLACES: [&str; 4] = [FOLDERS[0], FOLDERS[1], SINGLE_FILES[0], SINGLE_FILES[1]];

/// The workflow that is meant when several exist and none is named.
const DEFAULT_NAMES: [&str; 2] = ["ci", "default"];

/// Finds a workflow by path or name, or the default one, starting at `from` and walking up.
pub fn find(from: &Path, wanted: Option<&str>) -> Result<Found, Problem> {
    if let Some(wanted) = wanted {
        let path = from.join(wanted);
        if wanted.contains('/') || wanted.ends_with(".yaml") || wanted.ends_with(".yml") || path.is_file() {
            return explicit(&path, wanted);
        }
    }
    let all = nearest(from)?;
    match wanted {
        None => default(all),
        Some(wanted) => match all.iter().find(|found| found.stem() == wanted) {
            Some(found) => Ok(found.clone()),
            None => Err(Problem::new("workflow::not-found", format!("no workflow is named `{wanted}`"))
                .help(format!("there are: {}", names(&all)))),
        },
    }
}

/// Every workflow of the nearest folder that has any, walking up.
pub fn nearest(from: &Path) -> Result<Vec<Found>, Problem> {
    for workspace in from.ancestors() {
        let found = in_workspace(workspace);
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(Problem::new("workflow::not-found", "no workflow found in this folder or any above it")
        .help("write `sluice.yaml` or `workflows/NAME.yaml`; a first one is in docs/first-workflow.md"))
}

fn explicit(path: &Path, wanted: &str) -> Result<Found, Problem> {
    let file = path.canonicalize().map_err(|error| {
        let reason =
            if error.kind() == io::ErrorKind::NotFound { "there is no such file".into() } else { error.to_string() };
        Problem::new("workflow::not-found", format!("cannot read the workflow `{wanted}`")).cause(reason)
    })?;
    if !file.is_file() {
        return Err(Problem::new("workflow::not-found", format!("`{wanted}` is not a file"))
            .help("name a workflow file, or the name of a workflow of this repository"));
    }
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    // What is called may stand below a folder of workflows.
    let workspace = folder.ancestors().find_map(|above| match above.file_name() {
        Some(name) if FOLDERS.iter().any(|known| name == *known) => above.parent(),
        _ => above.join(".git").exists().then_some(above),
    });
    let workspace = workspace.unwrap_or(&folder).to_owned();
    Ok(Found { file, workspace })
}

/// Every workflow of this folder.
pub fn in_workspace(workspace: &Path) -> Vec<Found> {
    let found = |file: PathBuf| Found { file, workspace: workspace.to_owned() };
    let mut all: Vec<Found> =
        SINGLE_FILES.iter().map(|name| workspace.join(name)).filter(|path| path.is_file()).map(found).collect();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(workspace.join(folder)) else { continue };
        let mut files: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") && path.is_file())
            .collect();
        files.sort();
        all.extend(files.into_iter().map(found));
    }
    all
}

fn default(all: Vec<Found>) -> Result<Found, Problem> {
    let single = |found: &&Found| found.file.parent() == Some(found.workspace.as_path());
    let preferred = all
        .iter()
        .find(single)
        .or_else(|| DEFAULT_NAMES.iter().find_map(|name| all.iter().find(|found| found.stem() == *name)));
    match (preferred, all.as_slice()) {
        (Some(found), _) | (None, [found]) => Ok(found.clone()),
        _ => Err(Problem::new("workflow::ambiguous", "this repository has several workflows and none is named `ci`")
            .help(format!("name one of: {}", names(&all)))),
    }
}

fn names(all: &[Found]) -> String {
    all.iter().map(|found| format!("`{}`", found.stem())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    /// files, folder to start in, what is asked for, file that is found (none: a problem)
    type Case = (&'static [&'static str], &'static str, Option<&'static str>, Option<&'static str>);

    const CASES: &[Case] = &[
        (&["sluice.yaml", "workflows/ci.yaml"], ".", None, Some("sluice.yaml")),
        (&["workflows/ci.yaml", "workflows/a.yaml"], ".", None, Some("workflows/ci.yaml")),
        (&[".sluice/a.yaml"], ".", None, Some(".sluice/a.yaml")),
        (&["workflows/b.yaml", "src/deep/x.rs"], "src/deep", None, Some("workflows/b.yaml")),
        (&["workflows/b.yaml", "src/x.rs"], "src", Some("b"), Some("workflows/b.yaml")),
        (&["workflows/b.yaml", "src/x.yaml"], "src", Some("x.yaml"), Some("src/x.yaml")),
        (&["workflows/a.yaml", "workflows/b.yaml"], ".", None, None),
        (&["workflows/a.yaml"], ".", Some("c"), None),
        (&["workflows/a.yaml"], ".", Some("c.yaml"), None),
    ];

    #[test]
    fn workflows_are_found() {
        for (files, start, wanted, expected) in CASES {
            let root = tree(files);
            let found = find(&root.path().join(start).canonicalize().unwrap(), *wanted);
            let file = found.as_ref().ok().map(|found| found.file.clone());
            let expected = expected.map(|path| root.path().canonicalize().unwrap().join(path));
            assert_eq!(file, expected, "{files:?} {start} {wanted:?}");
        }
    }
}
