//! `sluice doctor`

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::args::JsonArgs;
use crate::confinement::{abilities, launcher};
use crate::output::Output;
use crate::{discover, exit, host};

/// Something that is well or not.
struct Finding {
    about: String,
    able: bool,
    how: String,
    then: &'static str,
}

pub fn run(args: &JsonArgs, from: &Path, output: &Output) -> u8 {
    let confine = abilities().findings.iter().map(|finding| Finding {
        about: finding.ability.title().to_owned(),
        able: finding.able,
        how: finding.how.clone(),
        then: finding.then,
    });
    let findings: Vec<Finding> = confine.chain(protects()).chain(folders(from)).collect();
    let confines = abilities().why_not().is_none();
    if args.json {
        let all: Vec<Value> = findings
            .iter()
            .map(|finding| json!({"about": finding.about, "able": finding.able, "how": finding.how, "then": finding.then}))
            .collect();
        output.result(&format!("{:#}\n", json!({"confines-programs": confines, "findings": all})));
    } else {
        let mut text = String::new();
        for finding in &findings {
            let answer = if finding.able { "yes" } else { "NO " };
            text.push_str(&format!("{answer}  {}: {}\n", finding.about, finding.how));
            if !finding.able {
                text.push_str(&format!("     {}\n", finding.then));
            }
        }
        output.result(&text);
    }
    if confines { exit::PASSED } else { exit::FAILED }
}

/// Whether programs can be kept from some places of a folder that they may write.
fn protects() -> Option<Finding> {
    let launcher = launcher()?;
    let can = sluice_confine::can_protect(&launcher.program, &launcher.argument);
    Some(Finding {
        about: "keep programs that may write the workspace from `.git/hooks`, workflows and the like".to_owned(),
        able: can.is_ok(),
        how: can.map_or_else(|why| why, |()| "a namespace of mounts".to_owned()),
        then: "without it, such a change is found when the step ends, and fails it",
    })
}

/// What sluice writes to.
fn folders(from: &Path) -> Vec<Finding> {
    let workspace = discover::nearest(from).ok().and_then(|all| all.into_iter().next()).map(|found| found.workspace);
    let record = workspace.unwrap_or_else(|| from.to_owned()).join(".sluice");
    let unset = "neither HOME nor an XDG folder is set";
    vec![
        folder("keep compiled plugins", host::cache_folder(), unset, "plugins from outside are compiled in every run"),
        folder(
            "queue runs of a `concurrency` group",
            host::state_folder(),
            unset,
            "workflows with `concurrency` are refused",
        ),
        folder("record runs", Some(record), "", "runs have no record, and cannot be resumed"),
        folder(
            "give programs a folder for temporary files",
            Some(std::env::temp_dir()),
            "",
            "steps that run programs fail",
        ),
    ]
}

fn folder(about: &str, path: Option<PathBuf>, unset: &str, then: &'static str) -> Finding {
    let (able, how) = match path {
        None => (false, unset.to_owned()),
        Some(path) => {
            // What does not exist yet is made in the first folder above it that does.
            let existing = path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
            match tempfile::tempfile_in(existing) {
                Ok(_) => (true, path.display().to_string()),
                Err(error) => (false, format!("{} cannot be written: {error}", path.display())),
            }
        }
    };
    Finding { about: about.to_owned(), able, how, then }
}
