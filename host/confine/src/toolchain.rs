//! Where the tools of a language are and what they keep outside of the workspace.

use std::path::{Path, PathBuf};

use sluice_model::grant::Toolchain;

/// What a toolchain adds to a confinement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Preset {
    pub read: Vec<PathBuf>,
    /// Folders, which are created if they are missing.
    pub write: Vec<PathBuf>,
    /// Files, which are created if they are missing.
    pub write_files: Vec<PathBuf>,
    pub variables: Vec<(&'static str, PathBuf)>,
}

impl Preset {
    /// `home` is the user's; `variable` reads the environment of the host.
    pub fn of(toolchain: Toolchain, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let place = |name: &str, default: &str| {
            let own = variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
            own.unwrap_or_else(|| home.join(default))
        };
        match toolchain {
            Toolchain::Rust => {
                let (cargo, rustup) = (place("CARGO_HOME", ".cargo"), place("RUSTUP_HOME", ".rustup"));
                let below = |names: &[&str]| names.iter().map(|name| cargo.join(name)).collect::<Vec<_>>();
                Self {
                    // Not `credentials.toml`.
                    read: [below(&["bin", "env", "config", "config.toml"]), vec![rustup.clone()]].concat(),
                    write: below(&["registry", "git"]),
                    write_files: below(&[".package-cache", ".package-cache-mutate", ".global-cache"]),
                    variables: vec![("CARGO_HOME", cargo), ("RUSTUP_HOME", rustup)],
                }
            }
            Toolchain::Node => {
                let (npm, nvm, volta) =
                    (place("npm_config_cache", ".npm"), place("NVM_DIR", ".nvm"), place("VOLTA_HOME", ".volta"));
                let (yarn, corepack) =
                    (place("YARN_CACHE_FOLDER", ".cache/yarn"), place("COREPACK_HOME", ".cache/node/corepack"));
                Self {
                    read: vec![nvm.clone(), volta.clone(), home.join(".local/share/fnm")],
                    write: vec![npm.clone(), yarn.clone(), corepack.clone()],
                    write_files: Vec::new(),
                    variables: vec![
                        ("npm_config_cache", npm),
                        ("NVM_DIR", nvm),
                        ("VOLTA_HOME", volta),
                        ("YARN_CACHE_FOLDER", yarn),
                        ("COREPACK_HOME", corepack),
                    ],
                }
            }
            Toolchain::Python => {
                let pyenv = place("PYENV_ROOT", ".pyenv");
                let (pip, uv) = (place("PIP_CACHE_DIR", ".cache/pip"), place("UV_CACHE_DIR", ".cache/uv"));
                let pythons = place("UV_PYTHON_INSTALL_DIR", ".local/share/uv/python");
                let user = place("PYTHONUSERBASE", ".local");
                Self {
                    read: vec![pyenv.clone(), pythons.clone(), user.join("bin"), user.join("lib")],
                    // Its locks between processes are files there.
                    write: vec![pip.clone(), uv.clone(), "/dev/shm".into()],
                    write_files: Vec::new(),
                    variables: vec![
                        ("PYENV_ROOT", pyenv),
                        ("PIP_CACHE_DIR", pip),
                        ("UV_CACHE_DIR", uv),
                        ("UV_PYTHON_INSTALL_DIR", pythons),
                        ("PYTHONUSERBASE", user),
                    ],
                }
            }
            Toolchain::Go => {
                let path = place("GOPATH", "go");
                let modules = place("GOMODCACHE", &path.join("pkg/mod").to_string_lossy());
                let cache = place("GOCACHE", ".cache/go-build");
                Self {
                    read: vec![path.join("bin"), home.join("sdk"), home.join(".local/go")],
                    write: vec![modules.clone(), path.join("pkg/sumdb"), cache.clone()],
                    write_files: Vec::new(),
                    variables: vec![("GOPATH", path), ("GOMODCACHE", modules), ("GOCACHE", cache)],
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_follows_the_variables_of_the_host() {
        let home = Path::new("/home/ada");
        let rust = Preset::of(Toolchain::Rust, home, &|name| (name == "CARGO_HOME").then(|| "/srv/cargo".to_owned()));
        assert!(rust.write.contains(&"/srv/cargo/registry".into()));
        assert!(rust.read.contains(&"/home/ada/.rustup".into()));
        assert!(!rust.read.contains(&"/srv/cargo".into()), "credentials are in there");
        let go = Preset::of(Toolchain::Go, home, &|name| (name == "GOPATH").then(|| "/srv/go".to_owned()));
        assert!(go.write.contains(&"/srv/go/pkg/mod".into()));
        let relative = Preset::of(Toolchain::Go, home, &|_| Some("here".to_owned()));
        assert!(relative.variables.contains(&("GOPATH", "/home/ada/go".into())));
    }
}
