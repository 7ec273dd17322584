//! The grants of a step -> what its programs may touch.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sluice_model::Grants;
use sluice_model::grant::{Host, PathAccess};

use crate::confinement::Confinement;
use crate::toolchain::Preset;

/// What every program may read and run: the system's own software, and of its settings those without secrets.
const READ: [&str; 62] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/proc",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage",
    "/dev/random",
    "/dev/urandom",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/locale.alias",
    "/etc/locale.conf",
    "/etc/default/locale",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    "/etc/alternatives",
    "/etc/os-release",
    "/etc/lsb-release",
    "/etc/debian_version",
    "/etc/mime.types",
    "/etc/magic",
    "/etc/terminfo",
    "/etc/inputrc",
    "/etc/bash.bashrc",
    "/etc/profile",
    "/etc/profile.d",
    "/etc/fonts",
    "/etc/gitconfig",
    "/etc/perl",
    "/etc/python3",
    "/etc/ssh/ssh_config",
    "/etc/ssh/ssh_known_hosts",
];

/// What every program may write: devices that keep nothing.
const WRITE: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

/// Names of the folders in the scratch folder of a step.
const HOME: &str = "home";
const TEMPORARY: &str = "tmp";

/// Where a step runs.
pub struct Surroundings<'a> {
    /// Canonical.
    pub workspace: &'a Path,
    /// The user's home, which `~` in grants stands for.
    pub home: Option<&'a Path>,
    /// A folder of the step alone. Its programs have their home and their temporary files in there.
    pub scratch: &'a Path,
    /// Reads the environment of the host.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Its own port, for a step that serves something.
    pub port: Option<u16>,
}

/// What the programs of a step get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confined {
    pub confinement: Confinement,
    /// Variables that lead to what they may touch.
    pub variables: Vec<(String, String)>,
}

impl Confinement {
    /// What the programs of a step may touch. Creates their home and their folder for temporary files, and of the granted
    /// folders outside of the workspace those that are missing.
    ///
    /// # Errors
    /// If the scratch folder cannot be filled.
    pub fn of(grants: &Grants, around: &Surroundings<'_>) -> io::Result<Confined> {
        let (home, temporary) = (around.scratch.join(HOME), around.scratch.join(TEMPORARY));
        for folder in [&home, &temporary] {
            private_folder(folder)?;
        }
        if nix::unistd::geteuid().is_root() {
            // A program may go on as another user, whom its temporary files are for. They are found by name only.
            for folder in [around.scratch, &temporary] {
                std::fs::set_permissions(folder, Permissions::from_mode(0o711))?;
            }
        }
        let mut confinement = Self {
            workspace: around.workspace.to_owned(),
            files: grants.files.clone(),
            read: READ.map(PathBuf::from).to_vec(),
            write: WRITE.map(PathBuf::from).to_vec(),
            ..Self::default()
        };
        confinement.write.extend([home.clone(), temporary.clone()]);
        let mut variables = vec![("HOME".to_owned(), text(&home)), ("TMPDIR".to_owned(), text(&temporary))];
        confinement.network(grants, around.port);
        confinement.paths(grants, around, &home);
        for toolchain in &grants.toolchain {
            let Some(user) = around.home else { continue };
            let preset = Preset::of(*toolchain, user, around.variable);
            // One that cannot be created is not there, and the tool says so.
            preset.write.iter().for_each(|folder| drop(std::fs::create_dir_all(folder)));
            for file in &preset.write_files {
                let _ = std::fs::OpenOptions::new().create(true).append(true).open(file);
            }
            confinement.read.extend(preset.read);
            confinement.write.extend(preset.write.into_iter().chain(preset.write_files));
            variables.extend(preset.variables.into_iter().map(|(name, path)| (name.to_owned(), text(&path))));
        }
        Ok(Confined { confinement, variables })
    }

    fn network(&mut self, grants: &Grants, port: Option<u16>) {
        for grant in &grants.tcp {
            self.network.connect.add(grant.port);
            // What is said of a loopback address goes both ways: a test starts its server and asks it.
            if is_loopback(&grant.host) {
                self.network.listen.add(grant.port);
            }
        }
        grants.http.iter().for_each(|grant| self.network.connect.add(Some(grant.port())));
        if let Some(port) = port {
            self.network.connect.add(Some(port));
            self.network.listen.add(Some(port));
        }
        let looks_up = |host: &Host| matches!(host, Host::Name(name) if name != "localhost");
        let names = grants.tcp.iter().any(|grant| looks_up(&grant.host));
        if names || grants.http.iter().any(|grant| !grant.names_an_address()) {
            // Names are looked up over UDP, and over TCP when the answer is long.
            self.network.udp = true;
            self.network.connect.add(Some(53));
        }
    }

    fn paths(&mut self, grants: &Grants, around: &Surroundings<'_>, home: &Path) {
        for grant in &grants.paths {
            let below_home = grant.below_home().map(Path::new);
            let path = match (below_home, around.home) {
                (Some(below), Some(user)) => user.join(below),
                (Some(_), None) => continue,
                (None, _) => PathBuf::from(&grant.path),
            };
            match grant.access {
                PathAccess::Connect => self.local_sockets = true,
                PathAccess::Read => self.read.push(path.clone()),
                PathAccess::Write => {
                    let _ = std::fs::create_dir_all(&path);
                    self.write.push(path.clone());
                }
            }
            // Programs look for it in their own home.
            if let Some(below) = below_home.filter(|below| !below.as_os_str().is_empty()) {
                let link = home.join(below);
                let parent = link.parent().map_or(Ok(()), std::fs::create_dir_all);
                let _ = parent.and_then(|()| symlink(&path, &link));
            }
        }
    }

    /// Those of the folders from which programs may be run: they are open, or have nothing but links to what is.
    pub fn runs_from(&self, folders: &[PathBuf]) -> Vec<PathBuf> {
        let files = self.files.iter().map(|grant| self.workspace.join(&grant.path));
        let own = self.read.iter().chain(&self.write).filter(|path| !is_of_the_system(path)).cloned().chain(files);
        let own: Vec<PathBuf> = own.filter_map(|open| open.canonicalize().ok()).collect();
        let is_open = |path: &Path| {
            path.canonicalize().is_ok_and(|path| own.iter().chain(system()).any(|open| path.starts_with(open)))
        };
        let links_only = |folder: &Path| {
            let mut links = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).peekable();
            links.peek().is_some() && links.all(|link| is_open(&link.path()))
        };
        let runs = |folder: &&PathBuf| folder.is_absolute() && (is_open(folder) || links_only(folder));
        folders.iter().filter(runs).cloned().collect()
    }
}

fn is_of_the_system(path: &Path) -> bool {
    READ.iter().chain(&WRITE).any(|known| Path::new(known) == path)
}

/// What every program may touch, as it really is. Looked up once: there is much of it.
fn system() -> &'static [PathBuf] {
    static SYSTEM: OnceLock<Vec<PathBuf>> = OnceLock::new();
    SYSTEM.get_or_init(|| READ.iter().chain(&WRITE).filter_map(|path| Path::new(path).canonicalize().ok()).collect())
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Ip(ip) => ip.is_loopback(),
        Host::Name(name) => name == "localhost",
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).recursive(true).create(path)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use sluice_model::grant::{Capability, Grant};

    use super::*;
    use crate::Ports;

    fn confined(spellings: &[&str], port: Option<u16>) -> (tempfile::TempDir, Confined) {
        let root = tempfile::tempdir().unwrap();
        let mut grants = Grants::default();
        for spelling in spellings {
            let (capability, grant) = spelling.split_once(": ").unwrap();
            grants.add(Grant::parse(Capability::parse(capability).unwrap(), grant).unwrap());
        }
        let [workspace, home, scratch] = ["workspace", "home", "scratch"].map(|name| root.path().join(name));
        [&workspace, &home, &scratch].iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        std::fs::write(home.join(".gitconfig"), "[user]").unwrap();
        let around =
            Surroundings { workspace: &workspace, home: Some(&home), scratch: &scratch, variable: &|_| None, port };
        let confined = Confinement::of(&grants, &around).unwrap();
        (root, confined)
    }

    #[test]
    fn ports_follow_from_servers() {
        let network = |spellings: &[&str], port| confined(spellings, port).1.confinement.network;
        let only = |ports: &[u16]| Ports::Only(ports.iter().copied().collect());
        assert!(!network(&["files: write ."], None).is_there());
        let address = network(&["tcp: 10.0.0.1:5432"], None);
        assert_eq!((address.connect, address.listen, address.udp), (only(&[5432]), only(&[]), false));
        let loopback = network(&["tcp: 127.0.0.1:5432", "tcp: localhost:80"], None);
        assert_eq!((loopback.connect, loopback.listen, loopback.udp), (only(&[80, 5432]), only(&[80, 5432]), false));
        let named = network(&["http: GET https://api.example.org/v1/*"], None);
        assert_eq!((named.connect, named.listen, named.udp), (only(&[53, 443]), only(&[]), true));
        let any = network(&["tcp: [::1]:*"], None);
        assert_eq!((any.connect, any.listen), (Ports::All, Ports::All));
        let service = network(&[], Some(8080));
        assert_eq!((service.connect, service.listen), (only(&[8080]), only(&[8080])));
    }

    #[test]
    fn paths_of_the_home_have_their_place_in_the_programs_home() {
        let (root, confined) = confined(&["paths: read ~/.gitconfig", "paths: write ~/.cache/x"], None);
        let own = root.path().join("scratch/home");
        assert_eq!(std::fs::read_to_string(own.join(".gitconfig")).unwrap(), "[user]");
        assert!(own.join(".cache/x").is_dir(), "what is missing is made");
        let Confined { confinement, variables } = confined;
        assert!(confinement.read.contains(&root.path().join("home/.gitconfig")));
        assert!(confinement.write.contains(&root.path().join("home/.cache/x")));
        assert!(!confinement.local_sockets);
        assert_eq!(variables[0], ("HOME".to_owned(), text(&own)));
        assert!(!confinement.read.contains(&root.path().join("home")));
    }

    #[test]
    fn programs_run_from_open_folders_and_links_to_them() {
        let (root, confined) = confined(&["files: read bin"], None);
        let runs = |folder: &Path| !confined.confinement.runs_from(&[folder.to_owned()]).is_empty();
        let [bin, links, own] = ["workspace/bin", "links", "own"].map(|name| root.path().join(name));
        [&bin, &links, &own].iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        symlink("/usr/bin/env", links.join("env")).unwrap();
        std::fs::write(own.join("tool"), "").unwrap();
        assert!(runs(Path::new("/usr/bin")) && runs(&bin) && runs(&links));
        assert!(!runs(&own) && !runs(&root.path().join("missing")) && !runs(&root.path().join("home")));
    }
}
