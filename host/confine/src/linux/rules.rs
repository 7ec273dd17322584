//! Landlock: the rules of a confinement on the calling thread and what it starts.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, PathFdError,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use sluice_model::grant::{Access as FileAccess, FileGrant};

use crate::confinement::{Confinement, Ports};

/// The oldest version that keeps programs from changing files at all: those before let them be emptied.
pub const OLDEST: u32 = 3;
/// Holds programs to TCP ports.
pub const PORTS: u32 = 4;
/// Keeps programs from controlling devices.
pub const DEVICES: u32 = 5;
/// Keeps programs from sending signals to those outside, and from their sockets without files.
pub const SIGNALS: u32 = 6;

/// The version of Landlock that the kernel has, as far as it is used here; 0 without.
pub fn version() -> u32 {
    let has = |create: &dyn Fn(Ruleset) -> Result<Ruleset, RulesetError>| {
        let strict = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        create(strict).and_then(Ruleset::create).is_ok()
    };
    let steps: [&dyn Fn(Ruleset) -> Result<Ruleset, RulesetError>; 6] = [
        &|rules| rules.handle_access(AccessFs::Execute),
        &|rules| rules.handle_access(AccessFs::Refer),
        &|rules| rules.handle_access(AccessFs::Truncate),
        &|rules| rules.handle_access(AccessNet::ConnectTcp),
        &|rules| rules.handle_access(AccessFs::IoctlDev),
        &|rules| rules.handle_access(AccessFs::Execute)?.scope(Scope::Signal),
    ];
    steps.into_iter().take_while(|step| has(step)).count() as u32
}

fn abi(version: u32) -> ABI {
    match version {
        0..=3 => ABI::V3,
        4 => ABI::V4,
        5 => ABI::V5,
        _ => ABI::V6,
    }
}

/// Restricts the calling thread for good, with all that this version of Landlock has.
///
/// # Errors
/// If anything that the confinement asks for is not possible.
pub fn restrict(confinement: &Confinement, version: u32) -> Result<(), String> {
    if version < OLDEST {
        return Err(format!("Landlock {OLDEST} is needed, and this kernel has {version}"));
    }
    let abi = abi(version);
    let cannot = |error: RulesetError| format!("Landlock: {error}");
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(abi))
        .map_err(cannot)?;
    let network = &confinement.network;
    if version >= PORTS {
        for (ports, access) in [(&network.connect, AccessNet::ConnectTcp), (&network.listen, AccessNet::BindTcp)] {
            if *ports != Ports::All {
                rules = rules.handle_access(access).map_err(cannot)?;
            }
        }
    }
    if version >= SIGNALS {
        rules = rules.scope(Scope::Signal | Scope::AbstractUnixSocket).map_err(cannot)?;
    }
    let mut rules = rules.create().map_err(cannot)?;

    let read = AccessFs::from_read(abi);
    for path in &confinement.read {
        rules = allow(rules, open(path)?, read)?;
    }
    // No device is made, and none is controlled.
    let write = AccessFs::from_all(abi) & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    for path in &confinement.write {
        rules = allow(rules, open(path)?, write)?;
    }
    for grant in &confinement.files {
        let access = if grant.access == FileAccess::Write { write } else { read };
        rules = allow(rules, beneath(&confinement.workspace, grant)?, access)?;
    }
    if version >= PORTS {
        for (ports, access) in [(&network.connect, AccessNet::ConnectTcp), (&network.listen, AccessNet::BindTcp)] {
            let Ports::Only(ports) = ports else { continue };
            for port in ports {
                rules = rules.add_rule(NetPort::new(*port, access)).map_err(cannot)?;
            }
        }
    }
    rules.restrict_self().map_err(cannot)?;
    Ok(())
}

fn allow(rules: RulesetCreated, file: Option<OwnedFd>, access: BitFlags<AccessFs>) -> Result<RulesetCreated, String> {
    let Some(file) = file else { return Ok(rules) };
    // Asking for the rights of a folder on a file is an error.
    let is_folder = File::from(file.try_clone().map_err(|error| error.to_string())?)
        .metadata()
        .map_err(|error| error.to_string())?
        .is_dir();
    let access = if is_folder { access } else { access & AccessFs::from_file(ABI::V6) };
    rules.add_rule(PathBeneath::new(file.as_fd(), access)).map_err(|error| format!("Landlock: {error}"))
}

/// `None` for what does not exist, or cannot be reached by this account anyway.
fn open(path: &Path) -> Result<Option<OwnedFd>, String> {
    match PathFd::new(path) {
        Ok(file) => Ok(Some(file.as_fd().try_clone_to_owned().map_err(|error| error.to_string())?)),
        Err(PathFdError::OpenCall { .. }) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// A folder of the workspace; a link that leads out of it is an error, whoever put it there and when.
fn beneath(workspace: &Path, grant: &FileGrant) -> Result<Option<OwnedFd>, String> {
    let cannot = |reason: &str| format!("`{grant}` cannot be granted: {reason}");
    let root = File::open(workspace).map_err(|error| cannot(&error.to_string()))?;
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    match openat2(&root, grant.path.as_str(), how) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::ENOENT) => Ok(None),
        Err(Errno::EXDEV) => Err(cannot("a link leads out of the workspace")),
        Err(error) => Err(cannot(error.desc())),
    }
}
