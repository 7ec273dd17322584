//! A lock belongs to an opened file, so one process can be several runs here.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;

struct Root {
    folder: tempfile::TempDir,
}

impl Root {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state/sluice/groups")
    }

    fn group(&self, name: &str) -> Group {
        Group::open(&self.path(), name).unwrap()
    }

    /// What lies in the folder of groups.
    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(self.path()).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The one folder of a group.
    fn only(&self) -> PathBuf {
        self.path().join(self.left().into_iter().find(|name| name != "door").unwrap())
    }
}

fn member(run: &str) -> Member {
    Member {
        group: "deploy".into(),
        run: run.into(),
        workflow: "w".into(),
        workspace: "/work".into(),
        process: 7,
        since: 1,
    }
}

fn ahead(place: &Place) -> Vec<String> {
    place.ahead().unwrap().into_iter().map(|member| member.run).collect()
}

#[test]
fn who_came_first_is_first() {
    let root = Root::new();
    let group = root.group("deploy");
    let a = group.enter(&member("a")).unwrap();
    let b = group.enter(&member("b")).unwrap();
    let c = root.group("deploy").enter(&member("c")).unwrap();
    let other = root.group("Deploy").enter(&member("x")).unwrap();
    assert_eq!((ahead(&a), ahead(&b), ahead(&c)), (vec![], vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(ahead(&other), [""; 0], "another group");
    drop(b);
    assert_eq!(ahead(&c), ["a"]);
    drop(a);
    let d = group.enter(&member("d")).unwrap();
    assert_eq!((ahead(&c), ahead(&d)), (vec![], vec!["c".to_owned()]));
    drop((c, d, other));
    assert_eq!(root.left(), ["door"], "nothing is left");
}

#[test]
fn only_those_ahead_are_asked_to_end() {
    let root = Root::new();
    let group = root.group("deploy");
    let [a, b, c] = ["a", "b", "c"].map(|run| group.enter(&member(run)).unwrap());
    b.ask_those_ahead_to_end(&member("b")).unwrap();
    assert_eq!(a.requests().end(), Some(member("b")));
    c.ask_those_ahead_to_end(&member("c")).unwrap();
    assert_eq!(a.requests().end(), Some(member("b")), "who was asked is not asked again");
    assert_eq!((b.requests().end(), c.requests().end()), (Some(member("c")), None));
    drop((a, b, c));
    // The number is free again, and the request is gone with the run that it was for.
    assert_eq!(group.enter(&member("d")).unwrap().requests().end(), None);
}

/// What a process leaves that was killed: files without a lock.
#[test]
fn the_dead_hold_nothing() {
    let root = Root::new();
    let group = root.group("deploy");
    let first = group.enter(&member("a")).unwrap();
    let folder = root.only();
    for file in ["00000002.run", "00000002.end", "00000007.run"] {
        fs::write(folder.join(file), "{}").unwrap();
    }
    let second = group.enter(&member("b")).unwrap();
    assert_eq!(ahead(&second), ["a"]);
    assert_eq!(second.requests().end(), None);
    drop(first);
    assert_eq!(ahead(&second), [""; 0]);
    // One that was killed after this run came goes with it.
    fs::write(folder.join("00000003.run"), "{}").unwrap();
    drop(second);
    assert_eq!(root.left(), ["door"]);
}

#[test]
fn what_is_no_file_of_ours_means_nothing() {
    let root = Root::new();
    let group = root.group("deploy");
    drop(group.enter(&member("a")).unwrap());
    let place = group.enter(&member("a")).unwrap();
    let folder = root.only();
    let outside = root.folder.path().join("outside");
    fs::write(&outside, serde_json::to_vec(&member("evil")).unwrap()).unwrap();
    symlink(&outside, folder.join("00000001.end")).unwrap();
    symlink(&outside, folder.join("00000004.run")).unwrap();
    fs::create_dir(folder.join("00000005.run")).unwrap();
    fs::write(folder.join("notes.txt"), "").unwrap();
    assert_eq!(place.requests().end(), None, "no link is followed");
    let next = group.enter(&member("b")).unwrap();
    assert_eq!(ahead(&next), ["a"]);
    next.ask_those_ahead_to_end(&member("b")).unwrap();
    drop((place, next));
    assert!(outside.exists() && folder.join("notes.txt").exists());
    assert_eq!(fs::read(&outside).unwrap(), serde_json::to_vec(&member("evil")).unwrap());
}

#[test]
fn the_folder_is_private() {
    let root = Root::new();
    fs::create_dir_all(root.path()).unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let _place = root.group("deploy").enter(&member("a")).unwrap();
    for folder in [root.path(), root.path().parent().unwrap().to_owned(), root.only()] {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
    }
    let linked = Root::new();
    fs::create_dir_all(linked.folder.path().join("state")).unwrap();
    symlink(root.folder.path(), linked.folder.path().join("state/sluice")).unwrap();
    assert!(matches!(Group::open(&linked.path(), "deploy"), Err(GroupError::NotOurs { .. })));
}

#[test]
fn every_name_has_a_folder_of_its_own() {
    let root = Root::new();
    let names = ["../../etc", "..", "a/b", "a-b", "a b", "ä", "", "x".repeat(500).as_str()].map(str::to_owned);
    let places: Vec<Place> = names.iter().map(|name| root.group(name).enter(&member(name)).unwrap()).collect();
    assert!(places.iter().all(|place| ahead(place).is_empty()));
    assert_eq!(root.left().len(), names.len() + 1);
    assert!(root.left().iter().all(|name| name.len() < 80));
}

#[test]
fn many_at_once_get_one_turn_each() {
    let root = Root::new();
    let inside = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for run in 0..8 {
            let (root, inside) = (&root, &inside);
            scope.spawn(move || {
                for _ in 0..20 {
                    let place = root.group("deploy").enter(&member(&run.to_string())).unwrap();
                    while !place.ahead().unwrap().is_empty() {
                        std::thread::yield_now();
                    }
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(root.left(), ["door"]);
}
