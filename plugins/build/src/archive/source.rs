//! One file on its way into the archive.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads exactly the bytes that the file had when it was opened: the header that carries the size is written before
/// the content. Errors name the file.
#[derive(Debug)]
pub struct Source {
    path: String,
    file: File,
    size: u64,
    left: u64,
}

impl Source {
    /// `path` is relative to the folder `from`.
    pub fn open(from: &Path, path: &str) -> io::Result<Self> {
        let open = || {
            let file = File::open(from.join(path))?;
            let size = file.metadata()?.len();
            Ok(Self { path: path.to_owned(), file, size, left: size })
        };
        open().map_err(|error| unreadable(path, &error))
    }

    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let count = self.file.read(&mut buffer[..most]).map_err(|error| unreadable(&self.path, &error))?;
        if count == 0 {
            return Err(io::Error::other(format!("`{}` became shorter while it was packed", self.path)));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn unreadable(path: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot read `{path}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_its_length_cannot_break_the_archive() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("log");
        std::fs::write(&path, "12345678").unwrap();

        let mut source = Source::open(root.path(), "log").unwrap();
        std::fs::write(&path, "1234567890").unwrap();
        let mut text = String::new();
        source.read_to_string(&mut text).unwrap();
        assert_eq!(text, "12345678");

        let mut source = Source::open(root.path(), "log").unwrap();
        std::fs::write(&path, "1234").unwrap();
        let error = source.read_to_string(&mut String::new()).unwrap_err();
        assert_eq!(error.to_string(), "`log` became shorter while it was packed");
    }
}
