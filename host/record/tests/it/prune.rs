//! Which records stay, and that nothing else is touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use sluice_model::EventKind;
use sluice_record::{Contents, Pruned, RecordError, Recorder, Retention, list, prune};
use tempfile::tempdir;

use crate::run::{START, events, id, names, record};

const DAY: u64 = 24 * 60 * 60;

fn keep(runs: Option<u64>, days: Option<u64>) -> Retention {
    Retention { runs, days, workflow: None }
}

/// A run of the workflow that began so many days after the first, and ended.
fn ran(root: &Path, day: u64, workflow: &str) {
    let mut events = events();
    for event in &mut events {
        event.at += day * DAY * 1000;
        if let EventKind::RunStarted { workflow: name, .. } = &mut event.kind {
            *name = workflow.to_owned();
        }
    }
    record(root, id(day * DAY), &events);
}

fn days(pruned: &Pruned) -> Vec<(u64, &str)> {
    let day = |started: u64| (started - START) / 1000 / DAY;
    pruned.runs.iter().map(|(info, _)| (day(info.started), info.workflow.as_str())).collect()
}

fn at(day: u64) -> u64 {
    START + day * DAY * 1000
}

#[test]
fn kept_is_what_satisfies_both() {
    for (retention, expected) in [
        (keep(None, None), &[][..]),
        (keep(Some(2), None), &[(0, "ci"), (1, "ci")]),
        (keep(None, Some(2)), &[(0, "ci"), (0, "nightly"), (1, "ci")]),
        (keep(Some(1), Some(2)), &[(0, "ci"), (0, "nightly"), (1, "ci"), (2, "ci")]),
        (keep(Some(0), None), &[(0, "ci"), (0, "nightly"), (1, "ci"), (2, "ci"), (4, "ci")]),
        (Retention { workflow: Some("nightly".into()), ..keep(Some(0), None) }, &[(0, "nightly")]),
        (Retention { workflow: Some("other".into()), ..keep(Some(0), None) }, &[]),
    ] {
        let workspace = tempdir().unwrap();
        for (day, workflow) in [(0, "ci"), (1, "ci"), (2, "ci"), (4, "ci")] {
            ran(workspace.path(), day, workflow);
        }
        let mut nightly = events();
        if let EventKind::RunStarted { workflow, .. } = &mut nightly[0].kind {
            *workflow = "nightly".to_owned();
        }
        record(workspace.path(), id(1), &nightly);
        let before = names(&workspace.path().join("runs"));
        let pretended = prune(workspace.path(), &retention, at(4), true).unwrap();
        assert_eq!(days(&pretended), expected, "{retention:?}");
        assert_eq!(names(&workspace.path().join("runs")), before, "nothing is changed");
        let pruned = prune(workspace.path(), &retention, at(4), false).unwrap();
        assert_eq!((days(&pruned), pruned.bytes()), (expected.to_vec(), pretended.bytes()), "{retention:?}");
        assert!(pruned.errors.is_empty());
        assert_eq!(list(workspace.path()).unwrap().0.len(), 5 - expected.len());
        assert_eq!(names(&workspace.path().join("runs")).len(), 5 - expected.len(), "nothing is left of them");
    }
}

#[test]
fn runs_that_have_not_ended_stay() {
    let workspace = tempdir().unwrap();
    let root = workspace.path();
    record(root, id(0), &events()[..8]);
    let mut running = Recorder::create(root, id(DAY), Contents::default()).unwrap();
    events().iter().for_each(|event| running.append(event));
    assert!(running.flush(), "all its events are there, but its process lives");
    assert_eq!(days(&prune(root, &keep(Some(0), Some(0)), at(9), false).unwrap()), []);
    running.finish().unwrap();
    assert_eq!(prune(root, &keep(Some(0), Some(0)), at(9), false).unwrap().runs.len(), 1);
    assert_eq!(list(root).unwrap().0.len(), 1, "the interrupted one");
}

#[test]
fn what_a_crash_left_is_deleted_the_next_time() {
    let workspace = tempdir().unwrap();
    let root = workspace.path();
    ran(root, 0, "ci");
    let runs = root.join("runs");
    fs::create_dir(runs.join(".leaving-20261120-094512-1597")).unwrap();
    fs::write(runs.join(".leaving-20261120-094512-1597/events.jsonl"), "x").unwrap();
    assert_eq!(prune(root, &keep(None, None), at(0), false).unwrap().errors.len(), 0);
    assert_eq!(names(&runs), [id(0).to_string()]);
}

#[test]
fn links_are_not_followed() {
    let outside = tempdir().unwrap();
    record(outside.path(), id(0), &events());
    let theirs = outside.path().join("runs").join(id(0).as_str());
    let workspace = tempdir().unwrap();
    let root = workspace.path().join(".sluice");
    ran(&root, 1, "ci");
    symlink(&theirs, root.join("runs").join(id(0).as_str())).unwrap();
    symlink(&theirs, root.join("runs").join(id(DAY).as_str()).join("more")).unwrap();
    symlink(&theirs, root.join("runs/.leaving-link")).unwrap();
    let pruned = prune(&root, &keep(Some(0), None), at(9), false).unwrap();
    assert_eq!(days(&pruned), [(1, "ci")]);
    assert_eq!(names(&theirs).len(), 5, "what a link leads to stays");

    let linked = workspace.path().join("linked");
    symlink(outside.path(), &linked).unwrap();
    assert!(matches!(prune(&linked, &keep(Some(0), None), at(9), false), Err(RecordError::NotPlain { .. })));
    assert_eq!(names(&theirs).len(), 5);
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let workspace = tempdir().unwrap();
    let root = workspace.path();
    ran(root, 0, "ci");
    let runs = root.join("runs");
    fs::set_permissions(&runs, fs::Permissions::from_mode(0o555)).unwrap();
    let pruned = prune(root, &keep(Some(0), None), at(9), false).unwrap();
    fs::set_permissions(&runs, fs::Permissions::from_mode(0o755)).unwrap();
    // The administrator may write everywhere; the tests of the binary look at this as somebody else.
    if pruned.runs.is_empty() {
        assert!(matches!(pruned.errors.as_slice(), [RecordError::Io { action: "remove", .. }]), "{:?}", pruned.errors);
        assert_eq!(list(root).unwrap().0.len(), 1);
    }
}

#[test]
fn artifacts_go_with_the_last_run_that_refers_to_them() {
    let workspace = tempdir().unwrap();
    let root = workspace.path();
    ran(root, 0, "ci");
    ran(root, 1, "ci");
    let folder = root.join("artifacts/sha256");
    fs::create_dir_all(&folder).unwrap();
    // The digest in the recorded events.
    let referred = "07".repeat(32);
    let forgotten = "ab".repeat(32);
    for name in [referred.clone(), format!("{referred}.json"), forgotten.clone(), format!("{forgotten}.json")] {
        fs::write(folder.join(name), "1234").unwrap();
    }
    fs::write(folder.join("staged-x"), "in the making").unwrap();

    let alive = Recorder::create(root, id(2 * DAY), Contents::default()).unwrap();
    let pruned = prune(root, &keep(Some(1), None), at(2), false).unwrap();
    assert_eq!((pruned.runs.len(), pruned.artifacts), (1, 0), "artifacts stay while a run is under way");
    alive.finish().unwrap();

    let pruned = prune(root, &keep(Some(1), None), at(2), false).unwrap();
    assert_eq!((pruned.runs.len(), pruned.artifacts, pruned.artifact_bytes), (0, 1, 8));
    assert_eq!(names(&folder), [referred.clone(), format!("{referred}.json"), "staged-x".to_owned()]);

    let pretended = prune(root, &keep(Some(0), None), at(2), true).unwrap();
    assert_eq!((pretended.runs.len(), pretended.artifacts), (1, 1));
    let pruned = prune(root, &keep(Some(0), None), at(2), false).unwrap();
    assert_eq!((pruned.runs.len(), pruned.artifacts, pruned.bytes()), (1, 1, pretended.bytes()));
    assert_eq!(names(&folder), ["staged-x"]);
}
