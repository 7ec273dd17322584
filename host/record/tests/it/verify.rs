//! A record that somebody changed is found out.

use std::fs;
use std::path::Path;

use sluice_record::{RecordError, Recorder, Run, TornTail, open};
use tempfile::{TempDir, tempdir};

use crate::run::{events, id, record};

fn recorded() -> (TempDir, Run) {
    let workspace = tempdir().unwrap();
    record(workspace.path(), id(0), &events());
    let run = open(workspace.path(), "latest").unwrap();
    (workspace, run)
}

fn lines(run: &Run) -> Vec<String> {
    let text = fs::read_to_string(run.folder().join("events.jsonl")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn write(run: &Run, lines: &[String]) {
    fs::write(run.folder().join("events.jsonl"), lines.iter().flat_map(|line| [line, "\n"]).collect::<String>())
        .unwrap();
}

/// The line at which verifying stops; `None` if a file beside the events is at fault.
fn edited(run: &Run) -> Option<u64> {
    match run.verify() {
        Err(RecordError::Edited { line, .. }) => line,
        other => panic!("not found out: {other:?}"),
    }
}

#[test]
fn a_record_as_it_was_written_is_verified() {
    let (_workspace, run) = recorded();
    let verified = run.verify().unwrap();
    assert_eq!(verified.events, events().len() as u64);
    assert_eq!(verified.files, ["origin.json", "plan.json", "workflow.yaml"]);
    assert!(verified.ended);
    assert_eq!(verified.torn, None);
    assert_eq!(verified.last, run.verify().unwrap().last);
}

#[test]
fn any_changed_byte_of_the_events_is_found() {
    let (_workspace, run) = recorded();
    let path = run.folder().join("events.jsonl");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        let line = whole[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        match run.verify() {
            Err(RecordError::Edited { line: Some(found), .. }) => assert!(found == line, "byte {at}: {found}"),
            // The end of the first line is where its hash stands.
            Err(RecordError::Unchained { .. }) => assert_eq!(line, 1, "byte {at}"),
            // Without its line feed the last line counts as torn.
            Ok(verified) => assert!(at == whole.len() - 1 && verified.torn.is_some() && !verified.ended, "byte {at}"),
            Err(error) => panic!("byte {at}: {error:?}"),
        }
    }
}

#[test]
fn lines_that_were_removed_added_or_exchanged_are_found() {
    let (_workspace, run) = recorded();
    let whole = lines(&run);
    for at in 0..whole.len() - 1 {
        let number = Some(at as u64 + 1);
        let mut fewer = whole.clone();
        fewer.remove(at);
        write(&run, &fewer);
        assert_eq!(edited(&run), number, "removed");

        let mut more = whole.clone();
        more.insert(at, whole[at + 1].clone());
        write(&run, &more);
        assert_eq!(edited(&run), number, "added");

        let mut exchanged = whole.clone();
        exchanged.swap(at, at + 1);
        write(&run, &exchanged);
        assert_eq!(edited(&run), number, "exchanged");
    }
}

#[test]
fn a_record_whose_end_was_cut_off_has_no_end() {
    let (_workspace, run) = recorded();
    let whole = lines(&run);
    write(&run, &whole[..whole.len() - 1]);
    let verified = run.verify().unwrap();
    assert!(!verified.ended);
    assert_eq!(verified.events, whole.len() as u64 - 1);
}

#[test]
fn changed_files_beside_the_events_are_found() {
    for name in ["plan.json", "workflow.yaml", "origin.json", "summary.json"] {
        let (_workspace, run) = recorded();
        let path = run.folder().join(name);
        let text = fs::read_to_string(&path).unwrap();
        let text = if name == "summary.json" { text.replace("\"events\": ", "\"events\": 1") } else { text + " " };
        fs::write(&path, text).unwrap();
        assert_eq!(edited(&run), None, "{name}");
    }
    let (_workspace, run) = recorded();
    fs::remove_file(run.folder().join("plan.json")).unwrap();
    assert_eq!(edited(&run), None);
}

#[test]
fn a_run_that_went_on_is_one_chain() {
    let workspace = tempdir().unwrap();
    let (first, second) = (events(), events());
    let half = first.len() / 2;
    record(workspace.path(), id(0), &first[..half]);
    let run = open(workspace.path(), "latest").unwrap();
    let before = run.verify().unwrap();
    tear(&run.folder().join("events.jsonl"));
    assert_eq!(run.verify().unwrap().torn, Some(TornTail { line: half as u64 + 1, bytes: 5 }));

    let mut recorder = Recorder::reopen(&run).unwrap();
    second[half..].iter().for_each(|event| recorder.append(event));
    recorder.finish().unwrap();
    let after = run.verify().unwrap();
    assert!(after.ended && after.torn.is_none() && after.last != before.last);
    assert_eq!(after.events, first.len() as u64);
}

fn tear(events: &Path) {
    let mut text = fs::read(events).unwrap();
    text.extend(b"{\"seq");
    fs::write(events, text).unwrap();
}

#[test]
fn a_record_without_hashes_is_told() {
    let (_workspace, run) = recorded();
    let without: Vec<String> =
        lines(&run).iter().map(|line| format!("{}}}", line.split(",\"chain\"").next().unwrap())).collect();
    write(&run, &without);
    assert!(matches!(run.verify(), Err(RecordError::Unchained { .. })));
    assert_eq!(run.events().unwrap().filter(Result::is_ok).count(), events().len(), "it can still be read");
}
