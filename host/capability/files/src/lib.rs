//! Files of the workspace for plugins: the standard `wasi:filesystem`, with checks of our own in front of what it does not
//! know of.
//!
//! Which folders a step may open is decided before it starts, and WASI keeps it inside them. Here is decided what else
//! could go wrong within: a file that decides what runs outside of the step, a pipe that hangs the host, a name for a file
//! that lies elsewhere, a disk that fills.

mod host;
mod links;
mod place;
mod protected;
mod quota;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::stat::SFlag;
use sluice_model::grant::{Access, Capability, FileGrant};
use sluice_model::{Audit, Denial, Ruling};

pub use host::{FilesView, add_to_linker};
pub use protected::{ALWAYS, Protected};
pub use quota::DiskLimit;

use links::Links;
use quota::Quota;

/// What one step may do with files, beyond the folders that it was given.
#[derive(Debug)]
pub struct Files {
    /// Canonical.
    root: PathBuf,
    protected: Protected,
    audit: Audit,
    /// Folders that may be changed, each with whether it was told that something changes them.
    writable: Vec<(FileGrant, AtomicBool)>,
    quota: Quota,
    /// `None` if the step may read files that have a name outside of the workspace too.
    links: Option<Links>,
}

/// What a path leads to.
struct Target {
    kind: SFlag,
    names: u64,
    id: (u64, u64),
}

impl Files {
    /// `root` is the canonical workspace; `disk_bytes` is the most that the step may write. A step whose plugin comes from
    /// outside is kept from files that have a name outside of the workspace too. `granted` are the step's grants.
    pub fn new(
        root: PathBuf,
        protected: Protected,
        disk_bytes: u64,
        outside: bool,
        granted: &[FileGrant],
        audit: Audit,
    ) -> Self {
        let writable = granted.iter().filter(|grant| grant.access == Access::Write);
        let writable = writable.map(|grant| (grant.clone(), AtomicBool::new(false))).collect();
        let links = outside.then(|| Links::new(root.clone()));
        Self { root, protected, audit, writable, quota: Quota::new(disk_bytes), links }
    }

    /// Whether the step may open this at all.
    fn may_open(&mut self, folder: BorrowedFd<'_>, path: &str, follow: bool) -> bool {
        let flags = if follow { nix::fcntl::AtFlags::empty() } else { nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW };
        // What is not there or cannot be looked at is for WASI to tell.
        let Ok(stat) = nix::sys::stat::fstatat(folder, path, flags) else { return true };
        // The types differ from system to system.
        #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
        let target = Target {
            kind: SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT,
            names: stat.st_nlink as u64,
            id: (stat.st_dev as u64, stat.st_ino as u64),
        };
        if ![SFlag::S_IFREG, SFlag::S_IFDIR, SFlag::S_IFLNK].contains(&target.kind) {
            self.deny(format!("opening `{path}`"), "it is a pipe, a socket or a device, not a file", None);
            return false;
        }
        if target.kind == SFlag::S_IFREG
            && target.names > 1
            && let Some(links) = &mut self.links
            && !links.all_inside(target.id, target.names)
        {
            self.deny(format!("opening `{path}`"), "the file has a name outside of the workspace too", None);
            return false;
        }
        true
    }

    /// Whether the step may change what is at this place. `also_above`: whether what lies below moves with it.
    fn may_change(&self, folder: BorrowedFd<'_>, path: &str, follow: bool, also_above: bool) -> bool {
        // A place that cannot be told is outside, or missing: WASI refuses it.
        let Some(place) = place::of(&self.root, folder, path, follow) else { return true };
        match self.protected.forbids(&place, also_above) {
            None => {
                self.tell_change(&place);
                true
            }
            Some(protected) => {
                let why =
                    format!("`{protected}` decides what runs outside of this step, and is granted only by its name");
                self.deny(format!("changing `{place}`"), &why, Some(format!("write {protected}")));
                false
            }
        }
    }

    /// Whether a symbolic link with this text may stand there.
    fn may_link(&self, folder: BorrowedFd<'_>, text: &str, path: &str) -> bool {
        if place::leads_inside(&self.root, folder, text, path) {
            return true;
        }
        self.deny(format!("a symbolic link `{path}` to `{text}`"), "it would lead out of the workspace", None);
        false
    }

    /// Once for each folder: which of its files change is not for the record of decisions.
    fn tell_change(&self, place: &str) {
        let granted = self.writable.iter().find(|(grant, _)| grant.contains(place));
        if let Some((grant, told)) = granted
            && !told.swap(true, Ordering::Relaxed)
        {
            let asked = format!("changing files below `{}`", grant.path);
            self.audit.decide(Ruling::allowed(Capability::Files, asked, grant));
        }
    }

    fn deny(&self, asked: String, why: &str, grant: Option<String>) {
        self.audit.deny(Denial { capability: Capability::Files, asked, why: Some(why.to_owned()), grant });
    }
}

/// Borrows what wasmtime keeps open for a guest.
fn open_folder(descriptor: &wasmtime_wasi::filesystem::Descriptor) -> Option<BorrowedFd<'_>> {
    match descriptor {
        wasmtime_wasi::filesystem::Descriptor::Dir(folder) => Some(folder.dir.as_fd()),
        wasmtime_wasi::filesystem::Descriptor::File(_) => None,
    }
}
