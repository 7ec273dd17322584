//! How much a step may write.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

/// A step wrote more than this many bytes, the most that it may; the call ends with this error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskLimit(pub u64);

impl fmt::Display for DiskLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it wrote more than {} bytes to files", self.0)
    }
}

impl std::error::Error for DiskLimit {}

/// Bytes that may still be written. Cheap to clone, and shared by the clones.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    left: Arc<AtomicU64>,
    limit: u64,
}

impl Quota {
    pub fn new(limit: u64) -> Self {
        Self { left: Arc::new(AtomicU64::new(limit)), limit }
    }

    pub fn take(&self, bytes: u64) -> Result<(), DiskLimit> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| DiskLimit(self.limit))
    }
}

/// A stream into a file that counts.
pub(crate) struct Counted {
    pub inner: DynOutputStream,
    pub quota: Quota,
}

impl Counted {
    fn take(&self, bytes: usize) -> StreamResult<()> {
        self.quota.take(bytes as u64).map_err(|limit| StreamError::Trap(wasmtime::Error::new(limit)))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Counted {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Counted {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(bytes.len())?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(bytes.len())?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    fn write_zeroes(&mut self, bytes: usize) -> StreamResult<()> {
        self.take(bytes)?;
        self.inner.write_zeroes(bytes)
    }

    async fn write_ready(&mut self) -> StreamResult<usize> {
        self.inner.write_ready().await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_what_is_left() {
        let quota = Quota::new(10);
        assert_eq!(quota.take(6), Ok(()));
        assert_eq!(quota.clone().take(5), Err(DiskLimit(10)));
        assert_eq!(quota.clone().take(4), Ok(()));
        assert_eq!(quota.take(1), Err(DiskLimit(10)));
    }
}
