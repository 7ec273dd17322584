//! Plugin reference -> bytes: from the binary itself, from a path, by digest from what was fetched before.

mod store;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use sluice_model::{Digest, PluginRef};
pub use sluice_registry_builtin::{BUILTINS, Builtin};
pub use store::{Store, Stored};

/// A component file longer than this is refused, in bytes.
pub const MAX_COMPONENT_BYTES: u64 = 64 << 20;

/// The bytes behind a reference.
#[derive(Debug)]
pub enum Component {
    Builtin(&'static Builtin),
    /// Read from a file.
    File {
        path: PathBuf,
        bytes: Vec<u8>,
        digest: Digest,
    },
}

/// Why a reference leads to no bytes.
#[derive(Debug)]
pub enum LoadError {
    /// No first-party plugin has this name.
    UnknownBuiltin {
        name: String,
    },
    NotFound {
        path: PathBuf,
    },
    TooLarge {
        path: PathBuf,
    },
    /// From another machine: its bytes are had by digest, from a [`Store`] or by whoever can ask that machine.
    Outside,
    /// Not a regular file, or not readable.
    Unreadable {
        path: PathBuf,
        error: io::Error,
    },
}

impl Component {
    pub fn digest(&self) -> Digest {
        match self {
            Component::Builtin(builtin) => Digest::from_bytes(builtin.sha256),
            Component::File { digest, .. } => *digest,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Component::Builtin(builtin) => builtin.wasm,
            Component::File { bytes, .. } => bytes,
        }
    }
}

/// Names of the first-party plugins, sorted.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|builtin| builtin.name)
}

/// Finds the bytes. Relative paths start at `base`.
pub fn load(reference: &PluginRef, base: &Path) -> Result<Component, LoadError> {
    match reference {
        PluginRef::Builtin(name) => BUILTINS
            .iter()
            .find(|builtin| builtin.name == name)
            .map(Component::Builtin)
            .ok_or_else(|| LoadError::UnknownBuiltin { name: name.clone() }),
        PluginRef::Path(path) => load_file(&base.join(path)),
        PluginRef::Oci(_) | PluginRef::Url(_) => Err(LoadError::Outside),
    }
}

/// The component in a file.
pub fn load_file(path: &Path) -> Result<Component, LoadError> {
    let unreadable = |error| LoadError::Unreadable { path: path.to_owned(), error };
    let file = match sluice_beneath::open_anywhere(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LoadError::NotFound { path: path.to_owned() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(MAX_COMPONENT_BYTES)).unwrap_or_default());
    file.take(MAX_COMPONENT_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_COMPONENT_BYTES {
        return Err(LoadError::TooLarge { path: path.to_owned() });
    }
    let digest = Digest::from_bytes(Sha256::digest(&bytes).into());
    Ok(Component::File { path: path.to_owned(), bytes, digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builtin_is_found_by_name() {
        let component = load(&PluginRef::Builtin("lint".into()), Path::new(".")).unwrap();
        assert_eq!(component.digest(), Digest::from_bytes(Sha256::digest(component.bytes()).into()));
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let load = |reference| load(&reference, Path::new(env!("CARGO_MANIFEST_DIR")));
        assert!(matches!(load(PluginRef::Builtin("lnt".into())), Err(LoadError::UnknownBuiltin { .. })));
        assert!(matches!(load(PluginRef::Path("./none.wasm".into())), Err(LoadError::NotFound { .. })));
        assert!(matches!(load(PluginRef::Path("./src".into())), Err(LoadError::Unreadable { .. })));
        assert!(matches!(load(PluginRef::Path("./Cargo.toml".into())), Ok(Component::File { .. })));
    }
}
