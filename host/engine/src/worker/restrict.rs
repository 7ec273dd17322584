//! What a worker may touch: what its step was granted, and what the host's own code needs for it.

use std::path::{Path, PathBuf};

use sluice_confine::{Confinement, Surroundings};

use super::wire::Start;

/// What looking up names and checking certificates needs of the machine.
const NETWORK: [&str; 17] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/dev/urandom",
];

/// Restricts the calling thread and what it starts, for good.
///
/// # Errors
/// Why not, in words.
pub fn restrict(start: &Start) -> Result<(), String> {
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let confinement = confinement(start, exe).map_err(|error| format!("a folder could not be made: {error}"))?;
    sluice_confine::restrict(&confinement)
}

fn confinement(start: &Start, exe: PathBuf) -> std::io::Result<Confinement> {
    let host_env = start.host_env();
    let around = Surroundings {
        workspace: &start.workspace,
        home: host_env.get("HOME").map(Path::new).filter(|home| home.is_absolute()),
        scratch: &start.scratch,
        variable: &|name| host_env.get(name).cloned(),
        port: start.port,
    };
    let mut confinement = Confinement::of(&start.grants, &around)?.confinement;
    confinement.write.push(start.scratch.clone());
    if start.grants.exec.is_empty() {
        confinement.read.clear();
        if confinement.network.is_there() {
            confinement.read.extend(NETWORK.map(PathBuf::from));
        }
    } else {
        // It launches its programs and their guard.
        confinement.read.push(exe);
    }
    if sluice_confine::holds_ports() {
        // Sockets that lead nowhere, so that what the plugin asks for is told and not only refused.
        confinement.network.connect.add(Some(0));
    }
    confinement.read.extend(start.certificates.iter().map(|(_, path)| PathBuf::from(path)));
    if !start.grants.artifacts.is_empty() {
        std::fs::create_dir_all(&start.artifacts)?;
        confinement.write.push(start.artifacts.clone());
    }
    Ok(confinement)
}
