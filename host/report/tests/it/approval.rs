//! Runs that ask somebody.

use sluice_model::approval::{Gate, GateState};
use sluice_model::event::FindingCounts;
use sluice_model::outcome::Place;
use sluice_model::{ApprovalRequest, Decision, Event, EventKind, Failure, FailureKind, Outcome};
use sluice_report::runs::{Row, RowState, Show, list};
use sluice_report::{Live, Plain, Size};

use crate::events::{Script, place_of, workflow};
use crate::{ASCII, UNICODE, options};

fn gate(name: &str, state: GateState, detail: &str) -> Gate {
    Gate { name: name.to_owned(), state, detail: Some(detail.to_owned()) }
}

fn asked() -> ApprovalRequest {
    ApprovalRequest {
        job: "deploy".to_owned(),
        message: "Deploy \u{1b}[31m1.2?".to_owned(),
        gates: Vec::new(),
        by: vec!["alice".to_owned(), "bob".to_owned()],
        not_by: Some("bob".to_owned()),
        until: None,
    }
}

fn parked() -> Script {
    let mut script = Script::start(&[("test", &["unit"]), ("deploy", &["site"]), ("after", &["tell"])]);
    script.job("test").step("test/unit", "unit tests").after(100).ended("test/unit", Outcome::Passed, 100);
    script.job_ended("test", Outcome::Passed, 100);
    let gates = vec![
        gate("tests are green", GateState::Holds, "needs.test.outcome == \"passed\""),
        gate("announced", GateState::ToAttest, "Was it announced?"),
    ];
    script.say(EventKind::ChecklistChecked { job: "deploy".to_owned(), gates });
    script.say(EventKind::ApprovalRequested(asked()));
    script.say(EventKind::RunParked { jobs: vec!["deploy".to_owned()], duration_ms: 120 });
    script
}

fn denied() -> Script {
    let mut script = parked();
    let decision = Decision {
        job: "deploy".to_owned(),
        approved: false,
        by: Some("alice".to_owned()),
        actor: Some("octocat".to_owned()),
        decided_at: 0,
        comment: Some("not on a Friday".to_owned()),
        attested: Vec::new(),
    };
    let words = decision.words();
    script.say(EventKind::ApprovalGiven(decision));
    let place = Place::new(&workflow(), place_of("https://api.example.com/orders"), "was not approved");
    let failure = Failure { place: Some(place.into()), ..Failure::new(FailureKind::NotApproved, words.clone()) };
    script.say(EventKind::JobRefused { job: "deploy".to_owned(), failure });
    script.skipped("deploy/site", &words).job_ended("deploy", Outcome::Failed, 0);
    script.skipped("after/tell", "the job `deploy`, which it needs, failed").job_ended("after", Outcome::Skipped, 0);
    script.say(EventKind::RunFinished { outcome: Outcome::Failed, duration_ms: 240 });
    script
}

fn plain(events: &[Event]) -> String {
    let mut plain = Plain::new(options(UNICODE), 80);
    let mut out = Vec::new();
    for event in events {
        plain.on_event(event, &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn show(events: &[Event]) -> String {
    let mut show = Show::new(options(UNICODE), 80);
    events.iter().for_each(|event| show.on_event(event));
    show.finish(RowState::Interrupted)
}

#[test]
fn a_parked_run() {
    insta::assert_snapshot!(plain(&parked().events));
    let mut live = Live::new(options(ASCII), Size { columns: 80, rows: 24 });
    parked().events.iter().for_each(|event| live.on_event(event));
    let text = live.take_scrollback();
    assert!(text.is_ascii() && text.contains("? announced        to attest      Was it announced?"), "{text}");
    assert_eq!(live.frame(0), "");
}

#[test]
fn a_parked_run_from_its_record() {
    insta::assert_snapshot!(show(&parked().events));
}

#[test]
fn a_list_says_how_to_answer() {
    let row = Row {
        id: "20261121-094512-7f3a".to_owned(),
        workflow: "release".to_owned(),
        state: RowState::WaitsForApproval,
        started: 0,
        duration_ms: 120,
        steps_passed: 1,
        steps_planned: 3,
        findings: FindingCounts::default(),
    };
    insta::assert_snapshot!(list(&[row], 0, UNICODE), @r"
    RUN                   WORKFLOW  RESULT              STARTED   TOOK   PASSED  FINDINGS
    20261121-094512-7f3a  release   waits for approval  just now  0.12s  1/3

    approve: sluice approve 20261121-094512-7f3a
    ");
}

#[test]
fn a_denied_run_from_its_record() {
    insta::assert_snapshot!(show(&denied().events));
}
