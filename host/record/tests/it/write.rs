//! What is written can be read.

use std::fs;

use sluice_model::Outcome;
use sluice_record::{Contents, RecordError, Recorder, State, list, open};
use tempfile::tempdir;

use crate::run::{events, id, names, record};

#[test]
fn a_run_is_read_as_it_was_recorded() {
    let workspace = tempdir().unwrap();
    let root = workspace.path().join(".sluice");
    record(&root, id(0), &events());

    assert_eq!(names(&root), [".gitignore", "runs"]);
    assert_eq!(fs::read_to_string(root.join(".gitignore")).unwrap(), "/.gitignore\n/runs/\n/artifacts/\n");
    let run = open(&root, "latest").unwrap();
    assert_eq!(names(run.folder()), ["events.jsonl", "origin.json", "plan.json", "summary.json", "workflow.yaml"]);
    assert_eq!(run.plan().unwrap().unwrap(), b"{\"jobs\":{}}");
    assert_eq!(run.workflow_text().unwrap().unwrap(), "jobs: {}\n");

    let mut read = run.events().unwrap();
    assert_eq!(read.by_ref().collect::<Result<Vec<_>, _>>().unwrap(), events());
    assert_eq!(read.torn_tail(), None);

    insta::assert_snapshot!(fs::read_to_string(run.folder().join("summary.json")).unwrap(), @r#"
    {
      "id": "20261121-094512-1597",
      "workflow": "ci",
      "file": "workflows/ci.yaml",
      "state": {
        "finished": "failed"
      },
      "started": 1795254312345,
      "duration-ms": 160,
      "steps": {
        "planned": 2,
        "passed": 1,
        "failed": 1,
        "allowed-to-fail": 0,
        "skipped": 0,
        "cancelled": 0,
        "unknown": 0
      },
      "findings": {
        "error": 0,
        "warning": 1,
        "info": 0
      },
      "events": 14
    }
    "#);
}

#[test]
fn a_summary_that_is_gone_or_damaged_is_made_from_the_events() {
    let workspace = tempdir().unwrap();
    record(workspace.path(), id(0), &events());
    let run = open(workspace.path(), "latest").unwrap();
    let summary = run.folder().join("summary.json");
    let good = run.info().unwrap();
    let other_run = fs::read_to_string(&summary).unwrap().replace("1597", "0000");
    for damaged in ["", "{}", other_run.as_str()] {
        fs::write(&summary, damaged).unwrap();
        assert_eq!(run.info().unwrap(), good, "{damaged}");
    }
    fs::remove_file(&summary).unwrap();
    assert_eq!(run.info().unwrap(), good);
}

#[test]
fn a_run_under_way_is_told_from_an_interrupted_one() {
    let workspace = tempdir().unwrap();
    let root = workspace.path();
    let mut recorder = Recorder::create(root, id(0), Contents::default()).unwrap();
    let (all, half) = (events(), 7);
    for event in &all[..half] {
        recorder.append(event);
    }
    assert!(recorder.flush());
    let run = open(root, "latest").unwrap();
    assert_eq!(run.events().unwrap().count(), half, "flushed events are in the file");
    assert_eq!(run.info().unwrap().state, State::Running);

    recorder.finish().unwrap();
    let info = run.info().unwrap();
    assert_eq!(info.state, State::Interrupted);
    assert_eq!((info.steps.planned, info.steps.passed, info.duration_ms), (2, 1, 60));
    assert_eq!(
        names(run.folder()),
        ["events.jsonl", "origin.json", "plan.json", "workflow.yaml"],
        "no summary without an end"
    );
}

#[test]
fn runs_are_listed_newest_first_and_found_by_a_prefix() {
    let workspace = tempdir().unwrap();
    let root = workspace.path();
    assert!(list(root).unwrap().0.is_empty());
    assert!(matches!(open(root, "latest"), Err(RecordError::NoRuns { .. })));
    for seconds in [0, 3600, 60] {
        record(root, id(seconds), &events());
    }
    fs::create_dir(root.join("runs/notes")).unwrap();
    fs::write(root.join("runs/20991231-235959-0000"), "a file").unwrap();

    let (runs, problems) = list(root).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let ids: Vec<_> = runs.iter().map(|run| run.id.to_string()).collect();
    assert_eq!(ids, ["20261121-104512-1597", "20261121-094612-1597", "20261121-094512-1597"]);
    assert!(runs.iter().all(|run| run.state == State::Finished(Outcome::Failed)));

    let table = [
        ("latest", "20261121-104512-1597"),
        ("20261121-10", "20261121-104512-1597"),
        ("20261121-094612-1597", "20261121-094612-1597"),
        ("2026", "the names of 3 runs begin with `2026`"),
        ("2025", "there is no record of run `2025`"),
        ("notes", "there is no record of run `notes`"),
        ("../runs", "there is no record of run `../runs`"),
    ];
    for (wanted, expected) in table {
        let found = open(root, wanted).map_or_else(|error| error.to_string(), |run| run.id().to_string());
        assert_eq!(found, expected, "{wanted}");
    }
}

#[test]
fn logs_are_of_the_run_a_job_or_a_step() {
    let workspace = tempdir().unwrap();
    record(workspace.path(), id(0), &events());
    let run = open(workspace.path(), "latest").unwrap();
    for (of, entries) in [(None, 1), (Some("lint"), 1), (Some("lint/yaml"), 1), (Some("yaml"), 1), (Some("ship"), 0)] {
        assert_eq!(run.logs(of).unwrap().map(Result::unwrap).count(), entries, "{of:?}");
    }
    let Err(error) = run.logs(Some("ship/it")) else { panic!("there is no such step") };
    assert_eq!(error.to_string(), "the run has no job or step `ship/it`");
    let problem = sluice_model::Problem::from(&error);
    assert_eq!(problem.help.as_deref(), Some("it has `lint/yaml`, `ship/folder`"));
}

#[test]
fn many_events_arrive_in_order() {
    let workspace = tempdir().unwrap();
    let mut recorder = Recorder::create(workspace.path(), id(0), Contents::default()).unwrap();
    let mut event = events().remove(3);
    for seq in 0..3000 {
        event.seq = seq;
        recorder.append(&event);
    }
    recorder.finish().unwrap();
    let run = open(workspace.path(), "latest").unwrap();
    let read: Vec<u64> = run.events().unwrap().map(|event| event.unwrap().seq).collect();
    assert_eq!(read, (0..3000).collect::<Vec<_>>());
}

/// A run goes on in its own record: after the last whole event, and only when its process has ended.
#[test]
fn a_record_is_reopened_after_its_last_whole_event() {
    let root = tempdir().unwrap();
    let (root, all) = (root.path(), events());
    let half = all.len() / 2;
    let mut first = Recorder::create(root, id(0), Contents::default()).unwrap();
    all[..half].iter().for_each(|event| first.append(event));
    assert!(first.flush());
    let run = open(root, "latest").unwrap();
    assert!(matches!(Recorder::reopen(&run), Err(RecordError::StillRunning { .. })));
    first.finish().unwrap();
    let path = run.folder().join("events.jsonl");
    let mut text = fs::read(&path).unwrap();
    text.extend(b"{\"seq\":");
    fs::write(&path, text).unwrap();

    let mut second = Recorder::reopen(&run).unwrap();
    assert_eq!(second.next_seq(), half as u64);
    all[half..].iter().for_each(|event| second.append(event));
    second.finish().unwrap();
    let read: Vec<_> = run.events().unwrap().map(Result::unwrap).collect();
    assert_eq!(read, all);
    assert_eq!(run.info().unwrap().state, State::Finished(Outcome::Failed));
    drop(Recorder::reopen(&run).unwrap());
    assert!(!run.folder().join("summary.json").exists(), "what goes on has not ended");
}
