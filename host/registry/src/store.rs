//! Bytes by digest, in a folder: what was fetched once is not fetched again.

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use sluice_model::Digest;

/// A folder with a file for each digest. Whoever can write there can make files vanish, and nothing more: what is read is
/// what its name says, or it is not there.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// What a store has under a digest.
#[derive(Debug, PartialEq, Eq)]
pub enum Stored {
    Bytes(Vec<u8>),
    Missing,
    /// A file is there and holds something else.
    Different,
}

impl Store {
    /// The folder is made when something is put into it.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where the bytes of a digest are.
    pub fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(digest.hex())
    }

    /// At most `limit` bytes, which are those of the digest. What cannot be read is missing.
    pub fn get(&self, digest: Digest, limit: u64) -> Stored {
        let mut bytes = Vec::new();
        let read = sluice_beneath::open_anywhere(&self.path(digest))
            .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes));
        if read.is_err() {
            return Stored::Missing;
        }
        let whole = bytes.len() as u64 <= limit;
        let found = Digest::from_bytes(Sha256::digest(&bytes).into());
        if whole && found == digest { Stored::Bytes(bytes) } else { Stored::Different }
    }

    /// Writes the file whole or not at all, in place of what was there.
    pub fn put(&self, digest: Digest, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut staged = tempfile::NamedTempFile::new_in(&self.folder)?;
        staged.write_all(bytes)?;
        staged.as_file().sync_all()?;
        staged.persist(self.path(digest)).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_its_name_says() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path().join("sha256"));
        let digest = Digest::from_bytes(Sha256::digest(b"component").into());
        assert_eq!(store.get(digest, 100), Stored::Missing);
        store.put(digest, b"component").unwrap();
        assert_eq!(store.get(digest, 9), Stored::Bytes(b"component".to_vec()));
        assert_eq!(store.get(digest, 8), Stored::Different, "longer than it may be");
        fs::write(store.path(digest), b"c0mponent").unwrap();
        assert_eq!(store.get(digest, 100), Stored::Different);
        store.put(digest, b"component").unwrap();
        assert_eq!(store.get(digest, 100), Stored::Bytes(b"component".to_vec()));
        assert_eq!(fs::read_dir(root.path().join("sha256")).unwrap().count(), 1, "nothing staged is left");
    }
}
