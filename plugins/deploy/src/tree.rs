//! What a release consists of, and its digest.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use sluice_sdk::Failure;
use sluice_sdk::files::walk;

use crate::content::{Content, Item};

/// Bytes that pass at once.
const CHUNK: usize = 64 * 1024;

/// The files of a release: the hash of each by its path.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Reads all of the content.
    pub fn of(content: &Content) -> Result<Self, Failure> {
        Self::passing(content, |_, item| match item {
            Item::Folder => Ok(None),
            Item::File(reader) => Ok(Some(copy(reader, &mut io::sink())?)),
        })
    }

    /// Reads all of the content and writes it below `root`, which must exist and be empty.
    pub fn unpack(content: &Content, root: &Path) -> Result<Self, Failure> {
        Self::passing(content, |path, item| {
            let target = root.join(path);
            match item {
                Item::Folder => fs::create_dir_all(target).map(|()| None),
                Item::File(reader) => {
                    if let Some(parent) = target.parent() {
                        fs::create_dir_all(parent)?;
                    }
                    copy(reader, &mut File::create_new(target)?).map(Some)
                }
            }
        })
    }

    fn passing(
        content: &Content,
        mut pass: impl FnMut(&str, Item) -> io::Result<Option<String>>,
    ) -> Result<Self, Failure> {
        let mut tree = Self::default();
        content.each(|path, item| {
            if tree.0.contains_key(path) {
                return Err(Failure::failed(format!("the archive is refused: `{path}` is in it twice")));
            }
            let hash = pass(path, item).map_err(|error| Failure::failed(format!("`{path}`: {error}")))?;
            tree.0.extend(hash.map(|hash| (path.to_owned(), hash)));
            Ok(())
        })?;
        Ok(tree)
    }

    /// What lies on the disk below `root`. Anything but files and folders makes it differ from every content.
    pub fn on_disk(root: &Path) -> Result<Self, Failure> {
        let mut tree = Self::default();
        walk(root, |entry| {
            let path = &entry.path;
            if entry.kind.is_dir() {
                return Ok(true);
            }
            let hash = if entry.kind.is_file() {
                File::open(path)
                    .and_then(|mut file| copy(&mut file, &mut io::sink()))
                    .map_err(|error| Failure::failed(format!("cannot read `{}`: {error}", path.display())))?
            } else {
                "not a file".to_owned()
            };
            tree.0.insert(entry.relative.clone(), hash);
            Ok(true)
        })?;
        Ok(tree)
    }

    pub fn files(&self) -> usize {
        self.0.len()
    }

    /// SHA-256, in hexadecimal, of what `sha256sum` prints for all files in the order of their names' bytes. Neither
    /// modes nor times nor empty folders count.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for (path, hash) in &self.0 {
            hasher.update(format!("{hash}  {path}\n"));
        }
        hex(&hasher.finalize())
    }
}

/// Copies to the end and gives the SHA-256 of what passed.
fn copy(reader: &mut dyn Read, writer: &mut dyn Write) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                writer.write_all(&buffer[..count])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A short name for `text` that fits into a file name.
pub fn short(text: &str) -> String {
    hex(&Sha256::digest(text))[..12].to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
