//! Files and folders of records: staged writes, and no way out through a symbolic link.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::RecordError;

/// Files that hold one document are never larger, in bytes; a larger one is not read.
const MAX_DOCUMENT: u64 = 256 << 20;

/// Makes the folder unless it is there. A link to a folder is refused.
pub fn ensure(path: &Path) -> Result<(), RecordError> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check(path).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path).map_err(RecordError::io("create", path))
        }
        other => other.map_err(RecordError::io("create", path)),
    }
}

/// Whether the folder is there as a real folder. A link or a file in its place is refused.
pub fn check(path: &Path) -> Result<bool, RecordError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(_) => Err(RecordError::NotPlain { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(RecordError::io("read", path)(error)),
    }
}

/// Opens a plain file of a record; `None` if there is none.
pub fn open_plain(path: &Path) -> Result<Option<File>, RecordError> {
    let not_plain = || RecordError::NotPlain { path: path.to_owned() };
    let before = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RecordError::io("read", path)(error)),
    };
    if !before.is_file() {
        return Err(not_plain());
    }
    let file = File::open(path).map_err(RecordError::io("open", path))?;
    let opened = file.metadata().map_err(RecordError::io("read", path))?;
    // Someone may have put a link in its place in between.
    if identity(&before) == identity(&opened) { Ok(Some(file)) } else { Err(not_plain()) }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Reads a whole plain file; `None` if there is none.
pub fn read_plain(path: &Path) -> Result<Option<Vec<u8>>, RecordError> {
    let Some(file) = open_plain(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(MAX_DOCUMENT).read_to_end(&mut bytes).map_err(RecordError::io("read", path))?;
    Ok(Some(bytes))
}

/// Writes a file that is there whole or not at all, also after a crash of the machine.
pub fn write_staged(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RecordError> {
    replace(folder, name, bytes, File::sync_all)
}

/// Writes a file that is whole for other processes, but may be empty after a crash of the machine: only for what can be
/// made again. Costs no wait for the disk.
pub fn write_cache(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RecordError> {
    replace(folder, name, bytes, |_| Ok(()))
}

fn replace(folder: &Path, name: &str, bytes: &[u8], sync: fn(&File) -> io::Result<()>) -> Result<(), RecordError> {
    let path = folder.join(name);
    let failed = |source| RecordError::Io { action: "write", path: path.clone(), source };
    let mut staged = tempfile::Builder::new().prefix(".staged-").tempfile_in(folder).map_err(failed)?;
    staged.write_all(bytes).and_then(|()| sync(staged.as_file())).map_err(failed)?;
    staged.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Makes the names in a folder durable.
pub fn sync(folder: &Path) -> Result<(), RecordError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(RecordError::io("write", folder))
}
