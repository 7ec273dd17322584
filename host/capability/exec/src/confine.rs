//! What the host does so that the programs of a step are confined.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sha2::{Digest as _, Sha256};
use sluice_confine::Confined;
use sluice_model::Digest;

/// How a confined program is launched.
#[derive(Debug, Clone)]
pub struct LauncherCommand {
    pub program: PathBuf,
    /// Makes the program call [`sluice_confine::launch`] with the arguments that follow, and do nothing else.
    pub argument: String,
}

/// How the programs of one step are confined.
pub struct Confine {
    pub launcher: Arc<LauncherCommand>,
    prepare: Box<dyn Fn() -> io::Result<Confined> + Send + Sync>,
    confined: OnceLock<Result<Confined, String>>,
    runnable: OnceLock<Vec<PathBuf>>,
}

impl fmt::Debug for Confine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confine").field("confined", &self.confined).finish_non_exhaustive()
    }
}

impl Confine {
    /// `prepare` is called once, when the first program is to run.
    pub fn new(
        launcher: Arc<LauncherCommand>,
        prepare: impl Fn() -> io::Result<Confined> + Send + Sync + 'static,
    ) -> Self {
        Self { launcher, prepare: Box::new(prepare), confined: OnceLock::new(), runnable: OnceLock::new() }
    }

    /// What the programs of the step may touch.
    ///
    /// # Errors
    /// Why their own folders could not be made.
    pub fn confined(&self) -> Result<&Confined, String> {
        let confined = self.confined.get_or_init(|| {
            (self.prepare)().map_err(|error| format!("the folder for temporary files could not be made: {error}"))
        });
        confined.as_ref().map_err(Clone::clone)
    }

    /// The folders of the search path from which its programs can run others.
    ///
    /// # Errors
    /// As [`Confine::confined`].
    pub fn runnable(&self, search_path: &[PathBuf]) -> Result<&[PathBuf], String> {
        let confinement = &self.confined()?.confinement;
        Ok(self.runnable.get_or_init(|| confinement.runs_from(search_path)))
    }
}

/// The digests of programs, each computed once for as long as its file stays as it is. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Digests(Arc<Mutex<HashMap<Identity, Digest>>>);

/// Device, inode, size, and time of change down to nanoseconds.
type Identity = (u64, u64, u64, i64, i64);

impl Digests {
    pub(crate) fn of(&self, program: &Path) -> Option<Digest> {
        let meta = fs::metadata(program).ok()?;
        let identity = (meta.dev(), meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&identity).copied();
        if known.is_some() {
            return known;
        }
        let mut hasher = Sha256::new();
        io::copy(&mut File::open(program).ok()?, &mut hasher).ok()?;
        let digest = Digest::from_bytes(hasher.finalize().into());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(identity, digest);
        Some(digest)
    }
}
