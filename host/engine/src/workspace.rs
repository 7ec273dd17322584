//! The folder that steps work in, opened without leaving it through symbolic links.

use std::io;
use std::path::{Path, PathBuf};

/// The workspace. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Canonical.
    root: PathBuf,
}

/// An open folder, by a path that leads to exactly it while this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    #[cfg(target_os = "linux")]
    _handle: std::os::fd::OwnedFd,
}

impl Folder {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Workspace {
    /// Fails when the folder does not exist.
    pub fn open(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        if root.is_dir() { Ok(Self { root }) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Opens a folder by its normalised path, after creating what is missing if asked to. `None` when it does not exist.
    /// A link that leads out of the workspace is an error, whoever put it there and when.
    pub fn folder(&self, path: &str, create: bool) -> io::Result<Option<Folder>> {
        match self.existing(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !create {
                    return Ok(None);
                }
                self.create(path)?;
                self.existing(path).map(Some)
            }
            found => found.map(Some),
        }
    }

    fn create(&self, path: &str) -> io::Result<()> {
        let ends = path.match_indices('/').map(|(slash, _)| slash).chain([path.len()]);
        let mut parent = ".";
        for end in ends {
            let (folder, name) = (&path[..end], path[..end].rsplit('/').next().unwrap_or(path));
            if let Err(error) = self.existing(folder) {
                if error.kind() != io::ErrorKind::NotFound {
                    return Err(error);
                }
                let inside = self.existing(parent)?;
                match std::fs::create_dir(inside.path().join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ => {}
                }
            }
            parent = folder;
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn existing(&self, path: &str) -> io::Result<Folder> {
        use std::os::fd::AsRawFd;

        use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
        use nix::sys::stat::Mode;

        // Not to be read: a worker may read only what was granted below it.
        let root = nix::fcntl::open(&self.root, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        let handle = openat2(&root, path, how)?;
        // Opening this path again opens the same folder, whatever was renamed or linked since.
        Ok(Folder { path: format!("/proc/self/fd/{}", handle.as_raw_fd()).into(), _handle: handle })
    }

    #[cfg(not(target_os = "linux"))]
    fn existing(&self, path: &str) -> io::Result<Folder> {
        let path = self.root.join(path).canonicalize()?;
        if !path.starts_with(&self.root) {
            return Err(io::Error::other("a symbolic link leads out of the workspace"));
        }
        if path.is_dir() { Ok(Folder { path }) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_are_created_and_opened_within_the_workspace_only() {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().join("workspace");
        fs::create_dir_all(root.join("real/deep")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        symlink("real", root.join("inner")).unwrap();
        symlink("..", root.join("out")).unwrap();
        symlink("/tmp", root.join("absolute")).unwrap();
        let workspace = Workspace::open(&root).unwrap();

        for path in [".", "real", "real/deep", "inner/deep"] {
            assert!(workspace.folder(path, false).unwrap().is_some(), "{path}");
        }
        for path in ["missing", "real/missing"] {
            assert!(workspace.folder(path, false).unwrap().is_none(), "{path}");
        }
        for path in ["new", "real/new/deep", "inner/via-link"] {
            let folder = workspace.folder(path, true).unwrap().unwrap();
            fs::write(folder.path().join("x"), "").unwrap();
            assert!(root.join(path).join("x").exists(), "{path}");
        }
        for path in ["out", "out/planted", "absolute", "absolute/planted", "file"] {
            assert!(workspace.folder(path, true).is_err(), "{path}");
        }
        assert!(!outside.path().join("planted").exists());
    }
}
