//! Opens files that somebody else may have put there: a step, a repository, another user of the folder.
//!
//! A name that is looked at first and opened afterwards may lead elsewhere by then, and opening a pipe waits for its other
//! end. So everything is decided by the system in one call, and the rest by looking at what is open.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Symbolic links on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Followed as long as they stay below the folder.
    Inside,
    /// None is followed.
    Never,
}

/// Nothing waits, and nothing becomes the terminal of this process.
const FLAGS: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_CLOEXEC).union(OFlag::O_NOCTTY);

/// Opens a regular file below a folder for reading. `path` is relative to it.
///
/// # Errors
/// Those of the system; `EXDEV` for a path that leads out of the folder; an error of its own for what is no regular file.
#[cfg(target_os = "linux")]
pub fn open(folder: &Path, path: impl AsRef<Path>, links: Links) -> io::Result<File> {
    use nix::fcntl::{OpenHow, ResolveFlag, openat2};
    use nix::sys::stat::Mode;

    // It need not be readable itself.
    let folder = nix::fcntl::open(folder, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let resolve = match links {
        Links::Inside => ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS,
        Links::Never => ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS,
    };
    let file = openat2(&folder, path.as_ref(), OpenHow::new().flags(FLAGS | OFlag::O_RDONLY).resolve(resolve))?;
    regular(file.into())
}

/// The same where the system cannot do it in one call: what is renamed in between is not noticed.
#[cfg(not(target_os = "linux"))]
pub fn open(folder: &Path, path: impl AsRef<Path>, links: Links) -> io::Result<File> {
    let folder = folder.canonicalize()?;
    let path = folder.join(path);
    let real = path.canonicalize()?;
    if !real.starts_with(&folder) || links == Links::Never && real != path {
        return Err(io::Error::from_raw_os_error(nix::libc::EXDEV));
    }
    open_anywhere(&real)
}

/// Opens a regular file for reading, wherever it is and whatever links lead there.
///
/// # Errors
/// Those of the system, and an error of its own for what is no regular file.
pub fn open_anywhere(path: &Path) -> io::Result<File> {
    regular(OpenOptions::new().read(true).custom_flags(FLAGS.bits()).open(path)?)
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_regular_files_below_the_folder_are_opened() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().canonicalize().unwrap().join("folder");
        fs::create_dir_all(folder.join("deep")).unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        fs::write(folder.join("deep/file"), "file").unwrap();
        symlink("deep/file", folder.join("inner")).unwrap();
        symlink("../secret", folder.join("outer")).unwrap();
        symlink("/etc/passwd", folder.join("absolute")).unwrap();
        symlink("..", folder.join("up")).unwrap();
        nix::unistd::mkfifo(&folder.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let read = |path: &str, links| {
            let mut text = String::new();
            open(&folder, path, links).ok()?.read_to_string(&mut text).ok()?;
            Some(text)
        };
        for (path, inside, never) in [
            ("deep/file", true, true),
            ("deep/../deep/file", true, true),
            ("inner", true, false),
            ("outer", false, false),
            ("absolute", false, false),
            ("up/secret", false, false),
            ("../secret", false, false),
            ("up/folder/deep/file", false, false),
            ("pipe", false, false),
            ("deep", false, false),
            ("missing", false, false),
        ] {
            let expected = |opened: bool| opened.then(|| "file".to_owned());
            assert_eq!(read(path, Links::Inside), expected(inside), "{path}");
            assert_eq!(read(path, Links::Never), expected(never), "{path} without links");
        }
        assert!(open_anywhere(&folder.join("inner")).is_ok());
        assert!(open_anywhere(&folder.join("pipe")).is_err());
        assert!(open_anywhere(Path::new("/dev/zero")).is_err());
    }
}
