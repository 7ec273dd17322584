//! Finds out whether something changed that no program may change: where the system cannot keep programs from it.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// What sluice itself writes during a run. Its chain of hashes tells who else did.
const OWN: &str = ".sluice";

/// Some places, and what stood there.
#[derive(Debug)]
pub struct Watch {
    root: PathBuf,
    before: BTreeMap<String, Found>,
}

/// What stands at a place: every file with what the kernel changes with it.
type Found = BTreeMap<PathBuf, Stamp>;

/// Kind and rights, number, size, time of the last change down to nanoseconds, which no program can set.
type Stamp = (u32, u64, u64, i64, i64);

impl Watch {
    /// `places` are normalised. If programs are `kept` from them, only those are watched from which the system cannot keep
    /// them: what does not exist yet, and what is behind a symbolic link.
    pub fn start(root: &Path, places: Vec<String>, kept: bool) -> Self {
        // The own folder comes when the first thing is kept.
        let watched = places
            .into_iter()
            .filter(|place| if place == OWN { !kept && stands(root, place) } else { !kept || !stands(root, place) });
        let before = watched.map(|place| (place.clone(), look(root, &place))).collect();
        Self { root: root.to_owned(), before }
    }

    /// The first file that is not as it was, relative to the root.
    pub fn changed(&self) -> Option<String> {
        self.before.iter().find_map(|(place, before)| {
            let now = look(&self.root, place);
            let differs = |path: &&PathBuf| before.get(*path) != now.get(*path);
            let path = before.keys().chain(now.keys()).find(differs)?;
            Some(path.to_string_lossy().into_owned())
        })
    }
}

/// Whether there is something, on a way without symbolic links.
fn stands(root: &Path, place: &str) -> bool {
    let mut path = root.to_owned();
    Path::new(place).components().all(|part| {
        path.push(part);
        fs::symlink_metadata(&path).is_ok_and(|meta| !meta.is_symlink())
    })
}

fn look(root: &Path, place: &str) -> Found {
    let mut found = Found::new();
    let start = root.join(place);
    let relative = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_owned();
    if place == OWN {
        // Whether it is there at all.
        found.extend(fs::symlink_metadata(&start).map(|meta| (relative(&start), (meta.mode(), meta.ino(), 0, 0, 0))));
        return found;
    }
    let walk = WalkBuilder::new(&start).standard_filters(false).hidden(false).follow_links(false).build();
    for entry in walk.flatten() {
        if let Ok(meta) = fs::symlink_metadata(entry.path()) {
            found.insert(relative(entry.path()), stamp(&meta));
        }
    }
    found
}

/// Of a folder only that it is one: what is in it has a stamp of its own.
fn stamp(meta: &Metadata) -> Stamp {
    match meta.is_dir() {
        true => (meta.mode(), 0, 0, 0, 0),
        false => (meta.mode(), meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn changed(kept: bool, change: impl FnOnce(&Path)) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join(".git/hooks")).unwrap();
        fs::create_dir_all(root.join(".sluice/runs")).unwrap();
        fs::write(root.join(".git/hooks/pre-commit"), "old").unwrap();
        let places = [".git/config", ".git/hooks", ".sluice", "sluice.lock"].map(str::to_owned).to_vec();
        let watch = Watch::start(root, places, kept);
        change(root);
        watch.changed()
    }

    #[test]
    fn what_changes_is_found() {
        let write = |path: &'static str| move |root: &Path| fs::write(root.join(path), "new").unwrap();
        let rename = |from: &'static str, to: &'static str| {
            move |root: &Path| fs::rename(root.join(from), root.join(to)).unwrap()
        };
        assert_eq!(changed(false, |_| {}), None);
        assert_eq!(changed(false, write("main.rs")), None);
        assert_eq!(changed(false, write(".sluice/runs/x")), None, "sluice writes there");
        assert_eq!(changed(false, write("sluice.lock")).unwrap(), "sluice.lock");
        assert_eq!(changed(false, write(".git/hooks/pre-push")).unwrap(), ".git/hooks/pre-push");
        assert_eq!(changed(false, write(".git/hooks/pre-commit")).unwrap(), ".git/hooks/pre-commit");
        assert_eq!(changed(false, rename(".git", "git")).unwrap(), ".git/hooks");
        assert_eq!(changed(false, rename(".sluice", "else")).unwrap(), ".sluice");
        let remove = |root: &Path| fs::remove_file(root.join(".git/hooks/pre-commit")).unwrap();
        assert_eq!(changed(false, remove).unwrap(), ".git/hooks/pre-commit");
    }

    #[test]
    fn what_programs_are_kept_from_may_change_by_others() {
        let edit = |root: &Path| fs::write(root.join(".git/hooks/pre-commit"), "new").unwrap();
        assert_eq!(changed(true, edit), None);
        let make = |root: &Path| fs::write(root.join("sluice.lock"), "new").unwrap();
        assert_eq!(changed(true, make).unwrap(), "sluice.lock");
    }

    #[test]
    fn links_are_watched_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        symlink("/etc", root.join("workflows")).unwrap();
        let watch = Watch::start(root, vec!["workflows".to_owned()], true);
        assert_eq!(watch.changed(), None);
        fs::remove_file(root.join("workflows")).unwrap();
        assert_eq!(watch.changed().unwrap(), "workflows");
    }
}
