//! Files with several names.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use ignore::WalkBuilder;

/// How many names each file has inside of the workspace, for files with more than one. Counted when the first such file is
/// met: most steps meet none.
#[derive(Debug)]
pub(crate) struct Links {
    root: PathBuf,
    inside: HashMap<(u64, u64), u64>,
    counted: bool,
}

impl Links {
    pub fn new(root: PathBuf) -> Self {
        Self { root, inside: HashMap::new(), counted: false }
    }

    /// Whether all names of the file with this device and number are inside.
    pub fn all_inside(&mut self, file: (u64, u64), names: u64) -> bool {
        if self.counted && self.has(file, names) {
            return true;
        }
        // The step itself may have added names since.
        self.count();
        self.has(file, names)
    }

    fn has(&self, file: (u64, u64), names: u64) -> bool {
        self.inside.get(&file).is_some_and(|inside| *inside >= names)
    }

    fn count(&mut self) {
        self.inside.clear();
        self.counted = true;
        let walk = WalkBuilder::new(&self.root).standard_filters(false).hidden(false).follow_links(false).build();
        // A folder that cannot be read hides names, and what is hidden counts as outside.
        for entry in walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file())) {
            if let Ok(meta) = fs::symlink_metadata(entry.path())
                && meta.nlink() > 1
            {
                *self.inside.entry((meta.dev(), meta.ino())).or_default() += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_outside_shows() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("workspace");
        fs::create_dir_all(root.join(".hidden")).unwrap();
        fs::write(folder.path().join("secret"), "").unwrap();
        fs::write(root.join("a"), "").unwrap();
        fs::hard_link(root.join("a"), root.join(".hidden/b")).unwrap();
        fs::hard_link(folder.path().join("secret"), root.join("c")).unwrap();
        let mut links = Links::new(root.clone());
        let mut inside = |name: &str| {
            let meta = fs::metadata(root.join(name)).unwrap();
            links.all_inside((meta.dev(), meta.ino()), meta.nlink())
        };
        assert!(inside("a"));
        assert!(!inside("c"));
        fs::hard_link(root.join("a"), root.join("d")).unwrap();
        assert!(inside("d"), "added later");
    }
}
