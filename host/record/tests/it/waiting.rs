//! Records of runs that wait for an approval.

use sluice_model::approval::Gate;
use sluice_model::{ApprovalRequest, Decision, Event, EventKind, Outcome};
use sluice_record::{Recorder, State, open};
use tempfile::tempdir;

use crate::run::{START, events, id, record};

fn event(seq: u64, kind: EventKind) -> Event {
    Event { seq, at: START + seq * 10, kind }
}

fn asked(job: &str) -> EventKind {
    EventKind::ApprovalRequested(ApprovalRequest {
        job: job.to_owned(),
        message: "Ship it?".to_owned(),
        gates: Vec::<Gate>::new(),
        by: Vec::new(),
        not_by: None,
        until: None,
    })
}

fn answered(job: &str) -> EventKind {
    EventKind::ApprovalGiven(Decision {
        job: job.to_owned(),
        approved: true,
        by: Some("alice".to_owned()),
        actor: None,
        decided_at: START,
        comment: None,
        attested: Vec::new(),
    })
}

#[test]
fn a_parked_run_waits_until_all_has_been_answered() {
    let workspace = tempdir().unwrap();
    let started = events().remove(0);
    let jobs = vec!["lint".to_owned(), "ship".to_owned()];
    let parked = EventKind::RunParked { jobs, duration_ms: 33 };
    record(workspace.path(), id(0), &[started, event(1, asked("lint")), event(2, asked("ship")), event(3, parked)]);
    let run = open(workspace.path(), "latest").unwrap();
    let info = run.info().unwrap();
    assert_eq!((info.state, info.duration_ms), (State::WaitsForApproval, 33));
    assert_eq!(info.waits_for, ["lint", "ship"]);

    let mut recorder = Recorder::reopen(&run).unwrap();
    assert_eq!(run.info().unwrap().state, State::Running, "somebody is at it");
    recorder.append(&event(recorder.next_seq(), answered("ship")));
    recorder.finish().unwrap();
    let info = run.info().unwrap();
    assert_eq!((info.state, info.waits_for), (State::WaitsForApproval, vec!["lint".to_owned()]));

    let mut recorder = Recorder::reopen(&run).unwrap();
    recorder.append(&event(recorder.next_seq(), answered("lint")));
    recorder.finish().unwrap();
    let info = run.info().unwrap();
    assert_eq!((info.state, info.waits_for.len()), (State::Interrupted, 0), "it can go on");

    let mut recorder = Recorder::reopen(&run).unwrap();
    let ended = EventKind::RunFinished { outcome: Outcome::Passed, duration_ms: 50 };
    recorder.append(&event(recorder.next_seq(), ended));
    recorder.finish().unwrap();
    assert_eq!(run.info().unwrap().state, State::Finished(Outcome::Passed));
}
