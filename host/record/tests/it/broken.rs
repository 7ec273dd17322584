//! What crashes, full disks and hostile folders leave.

use std::fs;
use std::os::unix::fs::symlink;

use sluice_model::Problem;
use sluice_record::{Contents, RecordError, Recorder, State, TornTail, list, open};
use tempfile::tempdir;

use crate::run::{events, id, names, record};

#[test]
fn a_last_line_torn_at_any_byte_is_ignored_and_told() {
    let workspace = tempdir().unwrap();
    record(workspace.path(), id(0), &events());
    let run = open(workspace.path(), "latest").unwrap();
    fs::remove_file(run.folder().join("summary.json")).unwrap();
    let path = run.folder().join("events.jsonl");
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let count = events().len();
    for end in last..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let mut read = run.events().unwrap();
        let events_read = read.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(events_read, events()[..count - 1], "cut at byte {end}");
        let torn = TornTail { line: count as u64, bytes: end - last };
        assert_eq!(read.torn_tail(), (torn.bytes > 0).then_some(torn), "cut at byte {end}");
        assert_eq!(run.info().unwrap().state, State::Interrupted, "cut at byte {end}");
    }
}

#[test]
fn a_block_of_zeros_at_the_end_is_a_torn_tail_too() {
    let workspace = tempdir().unwrap();
    record(workspace.path(), id(0), &events());
    let run = open(workspace.path(), "latest").unwrap();
    let path = run.folder().join("events.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([0; 512]);
    fs::write(&path, bytes).unwrap();
    let mut read = run.events().unwrap();
    assert_eq!(read.by_ref().filter(Result::is_ok).count(), events().len());
    assert_eq!(read.torn_tail(), Some(TornTail { line: events().len() as u64 + 1, bytes: 512 }));
}

#[test]
fn a_damaged_line_before_the_last_is_an_error_with_its_number() {
    let workspace = tempdir().unwrap();
    let root = workspace.path();
    record(root, id(0), &events());
    record(root, id(60), &events());
    let run = open(root, "latest").unwrap();
    fs::remove_file(run.folder().join("summary.json")).unwrap();
    let path = run.folder().join("events.jsonl");
    let text = fs::read_to_string(&path).unwrap().replacen("\"job-started\"", "\"job-startled\"", 1);
    fs::write(&path, text).unwrap();

    let read: Vec<_> = run.events().unwrap().collect();
    assert_eq!(read.len(), 2, "reading ends at the error");
    let Err(error @ RecordError::Damaged { line: 2, .. }) = &read[1] else { panic!("{read:?}") };
    assert!(Problem::from(error).causes[0].starts_with("unknown variant `job-startled`"));

    let (runs, problems) = list(root).unwrap();
    assert_eq!((runs.len(), problems.len()), (1, 1), "the other run is still listed");
}

#[test]
fn a_run_that_crashed_at_once_is_an_interrupted_run() {
    let workspace = tempdir().unwrap();
    let root = workspace.path();
    fs::create_dir_all(root.join("runs").join(id(0).as_str())).unwrap();
    let run = open(root, "latest").unwrap();
    let info = run.info().unwrap();
    assert_eq!((info.state, info.events, info.started), (State::Interrupted, 0, id(0).started()));
    assert_eq!(run.plan().unwrap(), None);
    assert_eq!(run.workflow_text().unwrap(), None);
}

#[test]
fn a_file_in_the_way_is_an_error_with_its_path() {
    for way in [".sluice", ".sluice/runs", ".sluice/runs/20261121-094512-1597"] {
        let workspace = tempdir().unwrap();
        let path = workspace.path().join(way);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "in the way").unwrap();
        let Err(error) = Recorder::create(&workspace.path().join(".sluice"), id(0), Contents::default()) else {
            panic!("{way} was written");
        };
        let expected = match &error {
            RecordError::NotPlain { path: told } => *told == path,
            RecordError::Exists { id: told } => *told == id(0) && way.ends_with("1597"),
            _ => false,
        };
        assert!(expected, "{way}: {error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "in the way");
    }
}

#[test]
fn a_record_that_cannot_be_staged_fails_at_the_end_with_the_first_error() {
    let workspace = tempdir().unwrap();
    let root = workspace.path();
    let mut recorder = Recorder::create(root, id(0), Contents::default()).unwrap();
    assert!(recorder.flush());
    for event in events() {
        recorder.append(&event);
    }
    assert!(recorder.flush(), "{:?}", recorder.failed());
    fs::remove_dir_all(recorder.folder()).unwrap();
    let error = recorder.finish().unwrap_err();
    let as_expected = matches!(&error, RecordError::Io { action: "write", path, .. } if path.ends_with("summary.json"));
    assert!(as_expected, "{error:?}");
}

#[test]
fn links_are_neither_written_through_nor_read_through() {
    let outside = tempdir().unwrap();
    record(outside.path(), id(0), &events());
    let theirs = outside.path().join("runs").join(id(0).as_str());
    let before = names(outside.path());

    let workspace = tempdir().unwrap();
    let root = workspace.path().join(".sluice");
    symlink(outside.path(), &root).unwrap();
    assert!(matches!(list(&root), Err(RecordError::NotPlain { .. })));
    assert!(matches!(open(&root, "latest"), Err(RecordError::NotPlain { .. })));
    assert!(matches!(Recorder::create(&root, id(60), Contents::default()), Err(RecordError::NotPlain { .. })));
    assert_eq!(names(outside.path()), before);

    fs::remove_file(&root).unwrap();
    fs::create_dir_all(root.join("runs")).unwrap();
    symlink(&theirs, root.join("runs").join(id(0).as_str())).unwrap();
    assert!(list(&root).unwrap().0.is_empty(), "a link to a run is not a run of ours");

    record(&root, id(60), &events());
    let run = open(&root, "latest").unwrap();
    for name in ["plan.json", "workflow.yaml", "events.jsonl", "summary.json"] {
        fs::remove_file(run.folder().join(name)).unwrap();
        symlink(theirs.join(name), run.folder().join(name)).unwrap();
    }
    assert!(matches!(run.plan(), Err(RecordError::NotPlain { .. })));
    assert!(matches!(run.workflow_text(), Err(RecordError::NotPlain { .. })));
    assert!(matches!(run.events(), Err(RecordError::NotPlain { .. })));
    assert!(matches!(run.info(), Err(RecordError::NotPlain { .. })));
}
