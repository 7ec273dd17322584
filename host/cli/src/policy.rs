//! The policies that apply here: where they are, and how they are read. What cannot be read stops everything.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use sluice_beneath::Links;
use sluice_model::{Problem, Source};
use sluice_plan::SharedPolicies;
use sluice_plan::policy::{Layer, MAX_BYTES, Owner, Policies};

/// Of the machine; nothing in the environment leads past it.
const MACHINE: &str = "/etc/sluice/policy.yaml";

/// Names one more policy of the machine.
const FURTHER_MACHINE: &str = "SLUICE_MACHINE_POLICY";

/// Names a policy of the organisation.
const ORGANISATION: &str = "SLUICE_POLICY";

/// Of the repository: in the workspace, and in the folders above it that belong to a repository.
const REPOSITORY: &str = "sluice-policy.yaml";

/// A file that is a policy if it exists.
#[derive(Debug, Clone)]
pub struct Place {
    pub owner: Owner,
    /// What messages call it.
    pub name: String,
    path: PathBuf,
    /// The workspace below the folder of the policy, for one of the repository.
    workspace: String,
    /// The environment variable that names it, so that it must exist.
    named_by: Option<&'static str>,
}

/// Where policies are looked for, in this order.
pub fn places(workspace: &Path) -> Vec<Place> {
    let place = |owner, path: PathBuf, named_by| {
        let name = path.display().to_string();
        Place { owner, name, path, workspace: ".".to_owned(), named_by }
    };
    let mut places = vec![place(Owner::Machine, PathBuf::from(MACHINE), None)];
    for (owner, variable) in [(Owner::Machine, FURTHER_MACHINE), (Owner::Organisation, ORGANISATION)] {
        let named = std::env::var_os(variable).filter(|path| !path.is_empty());
        places.extend(named.map(|path| place(owner, PathBuf::from(path), Some(variable))));
    }
    places.extend(config_folder().map(|folder| place(Owner::Organisation, folder.join("policy.yaml"), None)));
    let real = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
    for folder in above(&real) {
        // What is no text is no path of a workflow either.
        let Some(below) = real.strip_prefix(folder).ok().and_then(Path::to_str) else { continue };
        let place = place(Owner::Repository, folder.join(REPOSITORY), None);
        places.push(Place { workspace: below.to_owned(), ..place });
    }
    let name = REPOSITORY.to_owned();
    places.push(Place { name, ..place(Owner::Repository, workspace.join(REPOSITORY), None) });
    places
}

/// The folders above the workspace, down from the outermost one with a repository of git. Otherwise a folder with workflows of
/// its own would be a way past the policy of the repository that it is in.
fn above(workspace: &Path) -> Vec<&Path> {
    let mut above: Vec<&Path> = workspace.ancestors().skip(1).collect();
    above.reverse();
    above.into_iter().skip_while(|folder| folder.join(".git").symlink_metadata().is_err()).collect()
}

/// `sluice` in the user's folder for settings, if the environment names one.
fn config_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(config.join("sluice"))
}

/// Reads all policies that exist.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn read(workspace: &Path) -> Result<SharedPolicies, Vec<Problem>> {
    let (mut layers, mut problems) = (Vec::new(), Vec::new());
    for place in places(workspace) {
        match place.read(workspace) {
            Ok(layer) => layers.extend(layer),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() { Ok(Arc::new(Policies::new(layers))) } else { Err(problems) }
}

impl Place {
    /// `None` if there is no such file.
    fn read(&self, workspace: &Path) -> Result<Option<Layer>, Vec<Problem>> {
        if self.named_by.is_some() && !self.path.is_absolute() {
            return Err(vec![self.unreadable("it is no absolute path".to_owned())]);
        }
        // A link that leads nowhere is there, and cannot be read.
        match self.path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.named_by.is_none() => return Ok(None),
            Err(error) => return Err(vec![self.unreadable(reason(&error))]),
            Ok(_) => {}
        }
        let opened = match self.owner {
            Owner::Repository => {
                sluice_beneath::open(self.path.parent().unwrap_or(workspace), REPOSITORY, Links::Inside)
            }
            Owner::Machine | Owner::Organisation => sluice_beneath::open_anywhere(&self.path),
        };
        let text = opened.and_then(text).map_err(|error| vec![self.unreadable(reason(&error))])?;
        let layer = Layer::parse(self.owner, &Source::new(self.name.as_str(), text))?;
        Ok(Some(layer.above(self.workspace.clone())))
    }

    fn unreadable(&self, reason: String) -> Problem {
        let problem =
            Problem::new("policy::unreadable", format!("cannot read the policy `{}`", self.name)).cause(reason);
        match self.named_by {
            Some(variable) => {
                problem.help(format!("nothing runs without it; the environment variable {variable} names it"))
            }
            None => problem.help("nothing runs while it is there and cannot be read"),
        }
    }
}

fn text(file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    // One more than is read as a policy, so that the one that is too large is told as such.
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {} KiB", MAX_BYTES >> 10)));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))
}

fn reason(error: &io::Error) -> String {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EXDEV) => "it is a link that leads out of the workspace".to_owned(),
        Some(Errno::ENOENT) => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}
