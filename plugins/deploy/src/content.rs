//! What is deployed: the files of an archive or of a folder.

mod folder;
mod rewind;
mod tar_gz;
mod zip;

use std::io::{self, Read};
use std::path::PathBuf;

use sluice_sdk::Failure;
use sluice_sdk::files::{Globs, relative};

/// Opens the archive, from its beginning each time.
pub type Open = dyn Fn() -> io::Result<Box<dyn Read>>;

/// Where files come from.
pub enum Source {
    /// A `tar.gz` or `zip` of `size` bytes.
    Archive { size: u64, open: Box<Open> },
    /// Those files below `root` that the globs mean.
    Folder { root: PathBuf, globs: Globs },
}

/// What is deployed.
pub struct Content<'a> {
    pub source: Source,
    /// Asked before each file; the work ends when it says yes.
    pub cancelled: Box<dyn Fn() -> bool + 'a>,
}

/// One thing in the content.
pub enum Item<'a> {
    Folder,
    File(&'a mut dyn Read),
}

/// Gets each thing with its path in the release.
type Visit<'a> = dyn FnMut(&str, Item) -> Result<(), Failure> + 'a;

impl Content<'_> {
    /// Hands out everything, in the order it comes. Fails on the first thing that must not be in a release: a path
    /// that leads out of it, a link, a device.
    pub fn each(&self, mut visit: impl FnMut(&str, Item) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut checked = |path: &str, item: Item| {
            if (self.cancelled)() {
                return Err(Failure::failed("cancelled"));
            }
            let path = relative(path).map_err(|problem| refused(&problem))?;
            match (item, path.as_str()) {
                (Item::Folder, "") => Ok(()),
                (Item::File(_), "") => Err(refused("a file has no name")),
                (item, path) => visit(path, item),
            }
        };
        match &self.source {
            Source::Folder { root, globs } => folder::each(root, globs, &mut checked),
            Source::Archive { size, open } => {
                let mut magic = Vec::new();
                open()?.take(4).read_to_end(&mut magic)?;
                match magic.as_slice() {
                    [0x1f, 0x8b, ..] => tar_gz::each(open()?, &mut checked),
                    b"PK\x03\x04" | b"PK\x05\x06" => zip::each(open, *size, &mut checked),
                    _ => Err(Failure::invalid_input("the artifact is neither a `tar.gz` nor a `zip` archive")),
                }
            }
        }
    }
}

/// Something that must not be in a release.
fn refused(problem: &str) -> Failure {
    Failure::failed(format!("the archive is refused: {problem}"))
}

/// The archive cannot be read.
fn damaged(error: impl std::fmt::Display) -> Failure {
    Failure::failed(format!("the archive cannot be read: {error}"))
}
