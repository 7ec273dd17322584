//! What a worker may touch: what its step was granted, and what the host's own code needs for it.

use std::path::{Path, PathBuf};

use sluice_capability_files::Protected;
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
    if start.protects {
        confinement.protected = Protected::exposed(&start.protected, &start.grants.files);
    }
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
    // The plan does not know the port of a URL that is a secret.
    for name in start.grants.http.iter().filter_map(|grant| grant.secret()) {
        let value = start.secrets.iter().find(|(secret, _)| secret == name).map(|(_, value)| value);
        if let Some(port) = value.and_then(|value| sluice_capability_http::port_in(value)) {
            confinement.network.connect.add(Some(port));
        }
    }
    confinement.read.extend(start.certificates.iter().map(|(_, path)| PathBuf::from(path)));
    if !start.grants.artifacts.is_empty() {
        std::fs::create_dir_all(&start.artifacts)?;
        confinement.write.push(start.artifacts.clone());
    }
    Ok(confinement)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_confine::Ports;

    use super::*;

    #[test]
    fn a_worker_may_connect_to_the_port_of_a_url_that_is_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let digest = format!("sha256:{}", "0".repeat(64));
        let start: Start = serde_json::from_value(json!({
            "workspace": folder.path(), "artifacts": folder.path(), "protected": [], "protects": false,
            "plugin": "./a.wasm", "digest": digest, "declared": [], "grants": {"http": ["POST secret:HOOK private"]},
            "secrets": [["HOOK", "http://127.0.0.1:8080/x"], ["OTHER", "http://127.0.0.1:8081/x"]],
            "scratch": folder.path(), "port": null, "certificates": [], "host-env": [],
        }))
        .unwrap();
        let network = confinement(&start, PathBuf::from("/proc/self/exe")).unwrap().network;
        let Ports::Only(ports) = network.connect else { panic!("all ports") };
        assert!(ports.contains(&8080) && !ports.contains(&8081), "{ports:?}");
    }
}
