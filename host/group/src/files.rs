//! Files and folders that belong to this user alone, and no way out through a symbolic link.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::GroupError;

/// Neither a link nor a pipe in the place of a file keeps us waiting or leads elsewhere.
const FLAGS: i32 = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;

/// What a process does while it holds the door takes a moment; one that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// No file of ours is longer, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// Makes the folder unless it is there, private to this user.
pub fn ensure_private(path: &Path) -> Result<(), GroupError> {
    let make = |path: &Path| DirBuilder::new().mode(0o700).create(path);
    let made = match make(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = path.parent().unwrap_or(path);
            fs::create_dir_all(above).map_err(GroupError::io("create", above))?;
            make(path)
        }
        other => other,
    };
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(GroupError::io("create", path)(error));
        }
        _ => {}
    }
    let metadata = fs::symlink_metadata(path).map_err(GroupError::io("read", path))?;
    if !metadata.is_dir() || metadata.uid() != nix::unistd::geteuid().as_raw() {
        return Err(GroupError::NotOurs { path: path.to_owned() });
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(GroupError::io("make private", path))?;
    }
    Ok(())
}

/// Opens a plain file of this user; `None` if there is none, or something else in its place.
pub fn open_own(path: &Path) -> Result<Option<File>, GroupError> {
    let file = match OpenOptions::new().read(true).custom_flags(FLAGS).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A link in its place, or a socket.
        Err(error) if matches!(error.raw_os_error(), Some(nix::libc::ELOOP | nix::libc::ENXIO)) => return Ok(None),
        Err(error) => return Err(GroupError::io("open", path)(error)),
    };
    let metadata = file.metadata().map_err(GroupError::io("read", path))?;
    let own = metadata.is_file() && metadata.uid() == nix::unistd::geteuid().as_raw();
    Ok(Some(file).filter(|_| own))
}

/// Makes a new file of this user.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(FLAGS).open(path)
}

pub fn read(mut file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Removes a file that may be gone already.
pub fn remove(path: &Path) -> Result<(), GroupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GroupError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Through this door one process at a time goes, for a moment: it opens again when the file is dropped.
pub fn enter_door(path: &Path) -> Result<File, GroupError> {
    let door = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(FLAGS).open(path);
    let door = door.map_err(GroupError::io("open", path))?;
    let began = Instant::now();
    loop {
        match door.try_lock() {
            Ok(()) => return Ok(door),
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(1)),
            Err(TryLockError::WouldBlock) => return Err(GroupError::Stuck { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(GroupError::io("lock", path)(error)),
        }
    }
}
