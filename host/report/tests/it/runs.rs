//! Recorded runs.

use sluice_model::event::{FindingCounts, Level};
use sluice_model::{Event, Outcome};
use sluice_report::runs::{Row, RowState, Show, list, log};

use crate::events::{START, failing_run, step};
use crate::{COLOR, UNICODE, options, visible};

fn rows() -> Vec<Row> {
    let row = |id: &str, workflow: &str, state, ago, passed| Row {
        id: id.to_owned(),
        workflow: workflow.to_owned(),
        state,
        started: START - ago,
        duration_ms: 62_665,
        steps_passed: passed,
        steps_planned: 10,
        findings: FindingCounts { error: 10 - passed, warning: 1, info: 0 },
    };
    vec![
        row("20261121-094512-7f3a", "ci", RowState::Running, 0, 0),
        row("20261121-094312-0001", "nightly", RowState::Finished(Outcome::Passed), 120_000, 10),
        row("20261121-074312-0002", "ci", RowState::Finished(Outcome::AllowedToFail), 7_320_000, 9),
        row("20261111-074312-0003", "漢字\u{1b}", RowState::Interrupted, 864_000_000, 3),
        row("20261101-074312-0003", "ci", RowState::Incomplete, 1_728_000_000, 4),
    ]
}

#[test]
fn a_list() {
    insta::assert_snapshot!(list(&rows(), START, UNICODE), @r"
    RUN                   WORKFLOW  RESULT           STARTED        TOOK    PASSED  FINDINGS
    20261121-094512-7f3a  ci        running          just now       1m 02s  0/10    10 errors, 1 warning
    20261121-094312-0001  nightly   passed           2 minutes ago  1m 02s  10/10   1 warning
    20261121-074312-0002  ci        allowed-to-fail  2 hours ago    1m 02s  9/10    1 error, 1 warning
    20261111-074312-0003  漢字␛     interrupted      10 days ago    1m 02s  3/10    7 errors, 1 warning
    20261101-074312-0003  ci        incomplete       20 days ago    1m 02s  4/10    6 errors, 1 warning
    ");
    insta::assert_snapshot!(visible(&list(&rows()[..2], START, COLOR)), @r"
    ␛[2mRUN␛[0m                   ␛[2mWORKFLOW␛[0m  ␛[2mRESULT␛[0m   ␛[2mSTARTED␛[0m        ␛[2mTOOK␛[0m    ␛[2mPASSED␛[0m  ␛[2mFINDINGS␛[0m
    20261121-094512-7f3a  ci        ␛[35mrunning␛[0m  just now       1m 02s  0/10    10 errors, 1 warning
    20261121-094312-0001  nightly   ␛[32mpassed␛[0m   2 minutes ago  1m 02s  10/10   1 warning
    ");
}

fn show(events: &[Event], state: RowState) -> String {
    let mut show = Show::new(options(UNICODE), 80);
    for event in events {
        show.on_event(event);
    }
    show.finish(state)
}

#[test]
fn a_whole_run() {
    insta::assert_snapshot!(show(&failing_run(), RowState::Finished(Outcome::Failed)));
}

#[test]
fn an_interrupted_run() {
    insta::assert_snapshot!(show(&failing_run()[..8], RowState::Interrupted));
}

#[test]
fn a_run_with_an_incomplete_record() {
    let shown = show(&failing_run()[..8], RowState::Incomplete);
    let told = " went on, but its record is incomplete: nobody knows how it ended";
    assert_eq!(shown, show(&failing_run()[..8], RowState::Interrupted).replace(" was interrupted", told));
}

#[test]
fn a_run_under_way() {
    insta::assert_snapshot!(show(&failing_run()[..8], RowState::Running));
}

#[test]
fn logs() {
    let id = step("build/archive");
    let text = "two lines\n\u{1b}[31mred";
    assert_eq!(log(&id, Level::Info, text, true, UNICODE), "[build/archive] two lines\n[build/archive] ␛[31mred\n");
    assert_eq!(log(&id, Level::Info, text, false, UNICODE), "two lines\n␛[31mred\n");
}
