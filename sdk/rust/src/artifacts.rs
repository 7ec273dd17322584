//! Bytes that are handed from step to step, addressed by their SHA-256 digest.

use std::{fmt, io};

use crate::Failure;
use crate::bindings::imports::sluice::host::artifacts as wit;

pub use wit::Info;

/// What [`Reader::read`](io::Read::read) asks the host for at most: the limit of the contract.
const MOST_AT_ONCE: u64 = 1 << 20;
/// What [`Write::write`](io::Write::write) hands on at most in one call.
const CHUNK: usize = 1 << 20;

/// Why an artifact could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The step was not granted this.
    Denied(String),
    /// No artifact of this digest belongs to the run.
    NotFound(String),
    /// The disk failed, or the artifact exceeds the limit.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Error::Denied(message) | Error::NotFound(message) | Error::Failed(message)) = self;
        f.write_str(message)
    }
}

impl std::error::Error for Error {}

impl From<wit::Error> for Error {
    fn from(error: wit::Error) -> Self {
        match error {
            wit::Error::Denied(message) => Self::Denied(message),
            wit::Error::NotFound(message) => Self::NotFound(message),
            wit::Error::Failed(message) => Self::Failed(message),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(message) => Self::denied(message),
            Error::NotFound(message) => Self::invalid_input(message),
            Error::Failed(message) => Self::failed(message),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Denied(_) => io::ErrorKind::PermissionDenied,
            Error::NotFound(_) => io::ErrorKind::NotFound,
            Error::Failed(_) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// An artifact in the making. Dropping it without [`finish`](Writer::finish) leaves no trace.
///
/// Chunks of 64 KiB to 1 MiB are best; put a [`std::io::BufWriter`] in front of code that writes little by little.
#[derive(Debug)]
pub struct Writer(wit::Writer);

impl Writer {
    /// Start an artifact. `name` is a file name without folders.
    pub fn start(name: &str, media_type: &str) -> Result<Self, Error> {
        Ok(Self(wit::Writer::start(name, media_type)?))
    }

    /// Append all of `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for chunk in bytes.chunks(CHUNK) {
            self.0.write(chunk)?;
        }
        Ok(())
    }

    /// Publish, whole or not at all; returns the digest as `sha256:<64 hex digits>`.
    pub fn finish(self) -> Result<String, Error> {
        Ok(wit::Writer::finish(self.0)?)
    }
}

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Writer::write(self, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An artifact being read.
#[derive(Debug)]
pub struct Reader {
    handle: wit::Reader,
    /// What the host gave and nobody has taken yet.
    rest: Vec<u8>,
    taken: usize,
}

impl Reader {
    /// Open by digest.
    pub fn open(digest: &str) -> Result<Self, Error> {
        Ok(Self { handle: wit::Reader::open(digest)?, rest: Vec::new(), taken: 0 })
    }

    /// Name, media type and size.
    pub fn info(&self) -> Info {
        self.handle.info()
    }
}

impl io::Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.taken == self.rest.len() {
            self.rest = self.handle.read(MOST_AT_ONCE).map_err(Error::from)?;
            self.taken = 0;
        }
        let count = buffer.len().min(self.rest.len() - self.taken);
        buffer[..count].copy_from_slice(&self.rest[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
