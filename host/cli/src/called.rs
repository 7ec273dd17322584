//! The files of workflows that others call: from the workspace, or from a record.

use std::collections::BTreeMap;
use std::path::Path;

use sluice_model::{Problem, Source};
use sluice_workflow::Workflow;

use crate::discover::Found;
use crate::prepare;

/// Reads a file by its path below the workspace. Links are followed, but not out of it.
pub fn read(file: &str, workspace: &Path) -> Result<Source, Problem> {
    let path = workspace.join(file);
    let missing = |reason: String| {
        Problem::new("workflow::call", format!("cannot read the workflow `{file}`"))
            .cause(reason)
            .help("paths of workflows start at the workspace, the folder in which the workflow was found")
    };
    let real = path.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing("there is no such file".to_owned()),
        _ => missing(error.to_string()),
    })?;
    if !workspace.canonicalize().is_ok_and(|workspace| real.starts_with(workspace)) {
        return Err(missing("it is a link that leads out of the workspace".to_owned()));
    }
    if !real.is_file() {
        return Err(missing("it is not a file".to_owned()));
    }
    prepare::read(&Found { file: path, workspace: workspace.to_owned() })
}

/// The same from the texts of a record.
pub fn recorded(file: &str, texts: &BTreeMap<String, String>) -> Result<Source, Problem> {
    texts.get(file).map(|text| Source::new(file, text.as_str())).ok_or_else(|| {
        Problem::new("workflow::call", format!("cannot read the workflow `{file}`"))
            .cause("the record does not have it")
    })
}

/// All files that the workflow calls, each once.
pub fn sources(workflow: &Workflow) -> Vec<Source> {
    workflow.files().into_iter().skip(1).map(|file| file.source.clone()).collect()
}

/// The texts of files by their paths, as a record keeps them.
pub fn texts(files: &[Source]) -> BTreeMap<String, String> {
    files.iter().map(|file| (file.name().to_owned(), file.text().to_owned())).collect()
}
