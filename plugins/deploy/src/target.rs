//! The folder that is deployed to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sluice_sdk::Failure;

use crate::link::symlink;

const RELEASES: &str = "releases";
const CURRENT: &str = "current";
const STAGING: &str = ".staging-";

/// `TO` with its releases and `current`.
#[derive(Debug)]
pub struct Target {
    root: PathBuf,
}

/// What was found in a target.
#[derive(Debug, Default)]
pub struct World {
    /// The release that `current` leads to, whether it exists or not.
    pub current: Option<String>,
    /// Names of all releases, the newest first.
    pub releases: Vec<String>,
    /// Names of folders that an interrupted deployment left, sorted.
    pub leftovers: Vec<String>,
}

impl Target {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn releases(&self) -> PathBuf {
        self.root.join(RELEASES)
    }

    pub fn release(&self, name: &str) -> PathBuf {
        self.releases().join(name)
    }

    pub fn current(&self) -> PathBuf {
        self.root.join(CURRENT)
    }

    /// Where the deployment `key` puts a release together; `key` fits into a file name.
    pub fn staging(&self, key: &str) -> PathBuf {
        self.releases().join(format!("{STAGING}{key}"))
    }

    /// Looks around. A target that does not exist yet is an empty one. Fails when something stands where the releases
    /// or `current` belong.
    pub fn world(&self) -> Result<World, Failure> {
        let mut world = World { current: self.led_to()?, ..World::default() };
        let mut releases = Vec::new();
        let folder = self.releases();
        let unreadable = |error| Failure::failed(format!("cannot read the folder `{}`: {error}", folder.display()));
        let items = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(world),
            items => items.map_err(unreadable)?,
        };
        for item in items {
            let item = item.map_err(unreadable)?;
            let metadata = fs::symlink_metadata(item.path()).map_err(unreadable)?;
            let Some(name) = item.file_name().to_str().map(ToOwned::to_owned).filter(|_| metadata.is_dir()) else {
                continue;
            };
            if name.starts_with(STAGING) {
                world.leftovers.push(name);
            } else if !name.starts_with('.') {
                releases.push((metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), name));
            }
        }
        world.leftovers.sort();
        releases.sort_by(|a, b| b.cmp(a));
        world.releases = releases.into_iter().map(|(_, name)| name).collect();
        Ok(world)
    }

    fn led_to(&self) -> Result<Option<String>, Failure> {
        let current = self.current();
        let unreadable = |error| Failure::failed(format!("cannot read `{}`: {error}", current.display()));
        match fs::symlink_metadata(&current) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
            Ok(metadata) if metadata.is_symlink() => {}
            Ok(_) => {
                return Err(Failure::failed(format!("`{}` is not a symbolic link", current.display()))
                    .help("choose another folder for `to`, or move it away"));
            }
        }
        let leads = fs::read_link(&current).map_err(unreadable)?;
        let name = leads.strip_prefix(RELEASES).ok().and_then(Path::to_str);
        match name.filter(|name| !name.is_empty() && !name.contains('/')) {
            Some(name) => Ok(Some(name.to_owned())),
            None => Err(Failure::failed(format!(
                "`{}` leads to `{}`, not to a folder in `{RELEASES}`",
                current.display(),
                leads.display()
            ))
            .help("choose another folder for `to`, or move it away")),
        }
    }

    /// Makes `current` lead to the release, at once for everybody who reads through it.
    pub fn switch(&self, release: &str, key: &str) -> Result<(), Failure> {
        let temporary = self.root.join(format!("{CURRENT}.tmp-{key}"));
        let switched = remove_file_if_there(&temporary)
            .and_then(|()| symlink(&format!("{RELEASES}/{release}"), &temporary))
            .and_then(|()| fs::rename(&temporary, self.current()));
        switched.map_err(|error| {
            // The first error is the one to tell; a link that was not made cannot be removed.
            let _ = fs::remove_file(&temporary);
            Failure::failed(format!("cannot switch `{}` to `{release}`: {error}", self.current().display()))
        })
    }

    /// Removes `current`, as before the first deployment.
    pub fn unlink(&self) -> Result<(), Failure> {
        remove_file_if_there(&self.current())
            .map_err(|error| Failure::failed(format!("cannot remove `{}`: {error}", self.current().display())))
    }
}

fn remove_file_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
