//! Places that stay as they are although a folder above them may be written: Landlock cannot leave something out of a
//! folder, but a mount that cannot be written can lie on it, in a namespace that only the program and its launcher see.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::Mode;
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::{geteuid, getgid, getuid};

use crate::Confinement;

/// Protects [`Confinement::protected`] from the calling process and all that it starts. Call it while there is no other
/// thread, and before the process is confined: a confined one mounts nothing.
///
/// What does not exist cannot be protected so, nor what is behind a symbolic link; see [`Confinement::protected`].
///
/// # Errors
/// If the system does not let this account do that, in words.
pub fn protect(confinement: &Confinement) -> Result<(), String> {
    if confinement.protected.is_empty() {
        return Ok(());
    }
    let directory = std::env::current_dir().map_err(|error| format!("the current folder: {error}"))?;
    own_namespace()?;
    let root = path_only(&confinement.workspace)?;
    let mut mounted = BTreeSet::new();
    let mut places: Vec<&str> = confinement.protected.iter().map(String::as_str).collect();
    places.sort_unstable();
    let mut done: Vec<&str> = Vec::new();
    for place in places {
        if done.iter().any(|above| Path::new(place).starts_with(above)) || !exists(&root, place)? {
            continue;
        }
        // A folder on the way could otherwise be renamed, and with it what is protected.
        for (end, _) in place.match_indices('/') {
            if mounted.insert(&place[..end]) {
                bind(&root, &place[..end])?;
            }
        }
        let writable = writable_below(confinement, place, &root)?;
        bind(&root, place)?;
        seal(&root, place)?;
        for (path, before) in writable {
            mount_on(&before, &beneath(&root, &path)?.ok_or("a protected folder changes")?)?;
        }
        done.push(place);
    }
    enter_again(&directory)
}

/// Tries it on the current folder.
///
/// # Errors
/// Why it is not possible.
pub fn trial() -> Result<(), String> {
    let workspace = std::env::current_dir().map_err(|error| error.to_string())?;
    own_namespace()?;
    let root = path_only(&workspace)?;
    mount_on(&root, &root)?;
    seal(&path_only(&workspace)?, ".")
}

/// A namespace of mounts that no other process sees. Who is not root gets it together with a namespace of users in which
/// there is nobody else.
fn own_namespace() -> Result<(), String> {
    let cannot = |error: Errno| format!("a namespace of mounts: {}", error.desc());
    match unshare(CloneFlags::CLONE_NEWNS) {
        Err(Errno::EPERM) if !geteuid().is_root() => {
            let (user, group) = (getuid(), getgid());
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).map_err(cannot)?;
            for (file, text) in [
                ("setgroups", "deny".to_owned()),
                ("uid_map", format!("{user} {user} 1")),
                ("gid_map", format!("{group} {group} 1")),
            ] {
                fs::write(Path::new("/proc/self").join(file), text).map_err(|error| format!("`{file}`: {error}"))?;
            }
        }
        other => other.map_err(cannot)?,
    }
    // What is mounted here is seen nowhere else.
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).map_err(|error| format!("mounts: {error}"))
}

fn path_only(path: &Path) -> Result<OwnedFd, String> {
    open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).map_err(|error| format!("{}: {error}", path.display()))
}

/// A place of the workspace; `None` if it does not exist, or only behind a link.
fn beneath(root: &OwnedFd, place: &str) -> Result<Option<OwnedFd>, String> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
    match openat2(root, place, how) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => Ok(None),
        Err(error) => Err(format!("`{place}` cannot be protected: {}", error.desc())),
    }
}

fn exists(root: &OwnedFd, place: &str) -> Result<bool, String> {
    beneath(root, place).map(|found| found.is_some())
}

/// What the confinement opens by its own path within a protected folder, as it is before that is sealed.
fn writable_below(confinement: &Confinement, place: &str, root: &OwnedFd) -> Result<Vec<(String, OwnedFd)>, String> {
    let folder = confinement.workspace.join(place);
    let below = confinement.write.iter().filter(|path| path.starts_with(&folder));
    let relative = below.filter_map(|path| path.strip_prefix(&confinement.workspace).ok()?.to_str());
    relative.filter_map(|path| Some(beneath(root, path).transpose()?.map(|file| (path.to_owned(), file)))).collect()
}

/// Mounts a place on itself.
fn bind(root: &OwnedFd, place: &str) -> Result<(), String> {
    beneath(root, place)?.map_or(Ok(()), |file| mount_on(&file, &file))
}

fn mount_on(what: &OwnedFd, place: &OwnedFd) -> Result<(), String> {
    let none: Option<&str> = None;
    mount(Some(&by_number(what)), &by_number(place), none, MsFlags::MS_BIND, none)
        .map_err(|error| format!("a mount: {}", error.desc()))
}

/// Lets nothing be written through the mount that lies on the place.
fn seal(root: &OwnedFd, place: &str) -> Result<(), String> {
    let mount_point = beneath(root, place)?.ok_or("a protected place is gone")?;
    let has = fstatvfs(mount_point.as_fd()).map_err(|error| error.to_string())?.flags();
    // What is said of a mount here must not be less than was said of it outside.
    let mut flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    for (flag, mount_flag) in [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ] {
        if has.contains(flag) {
            flags |= mount_flag;
        }
    }
    let none: Option<&str> = None;
    mount(none, &by_number(&mount_point), none, flags, none)
        .map_err(|error| format!("`{place}` cannot be protected: {}", error.desc()))
}

/// The path of an open file, whatever was renamed since.
fn by_number(file: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// The current folder was opened before the mounts, and would lead past them.
fn enter_again(directory: &Path) -> Result<(), String> {
    let same = |path: &Path| File::open(path)?.metadata().map(|meta| (meta.dev(), meta.ino()));
    let before = same(Path::new(".")).map_err(|error| error.to_string())?;
    std::env::set_current_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    match same(Path::new(".")) {
        Ok(now) if now == before => Ok(()),
        _ => Err("the current folder was replaced".to_owned()),
    }
}
