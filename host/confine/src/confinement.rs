use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sluice_model::grant::FileGrant;

/// What a program may touch. The default is nothing, not even itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Confinement {
    /// The folder that [`Confinement::files`] are in. Canonical.
    pub workspace: PathBuf,
    /// Folders of the workspace. They are opened without following a link out of it.
    pub files: Vec<FileGrant>,
    /// Files and folders to read and to run programs from. What does not exist is left out.
    pub read: Vec<PathBuf>,
    /// Files and folders to read, write, and run programs from. What does not exist is left out.
    pub write: Vec<PathBuf>,
    /// Files and folders of the workspace, relative to it and normalised, that stay as they are although a folder above them
    /// may be written. Those that do not exist, or only behind a symbolic link, are not protected: whoever asks for this looks
    /// at them afterwards.
    pub protected: Vec<String>,
    pub network: Network,
    /// Whether it may talk to other programs of this machine through sockets in files. The kernel cannot tell one from
    /// the other.
    pub local_sockets: bool,
    pub limits: Limits,
}

/// What a program may do on the network: the kernel knows ports, not hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Network {
    /// TCP ports of any host to connect to.
    pub connect: Ports,
    /// TCP ports to listen on.
    pub listen: Ports,
    /// UDP to and from everywhere, without which no name can be looked up.
    pub udp: bool,
}

/// Some TCP ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ports {
    /// These; none of them if it is empty.
    Only(BTreeSet<u16>),
    All,
}

/// What the system lets a program have at most, beside what it allows the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// Processes and threads of the account, those outside of the run included. It does not hold for root.
    pub processes: u64,
    /// Files that one process may have open.
    pub open_files: u64,
    /// Size of a file that is written, in bytes.
    pub file_bytes: u64,
    /// Size of the image that a crash leaves behind, in bytes.
    pub core: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { processes: 8192, open_files: 65_536, file_bytes: u64::MAX, core: 0 }
    }
}

impl Default for Ports {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Ports {
    /// Adds one port, or all for `None`.
    pub fn add(&mut self, port: Option<u16>) {
        match (&mut *self, port) {
            (Self::Only(ports), Some(port)) => drop(ports.insert(port)),
            (_, None) => *self = Self::All,
            (Self::All, Some(_)) => {}
        }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(ports) if ports.is_empty())
    }
}

impl Network {
    /// Whether there is any.
    pub fn is_there(&self) -> bool {
        self.udp || !self.connect.is_empty() || !self.listen.is_empty()
    }
}
