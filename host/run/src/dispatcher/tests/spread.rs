//! Cells, items, attempts, and results that stand.

use super::script::{Act, Script};
use super::*;

fn failed(kind: FailureKind) -> Act {
    Act::Fail(Failure::new(kind, "it broke"))
}

/// What each event says of its step or job, with the time.
pub fn story(ran: &Ran) -> String {
    let line = |event: &Event| {
        let value = serde_json::to_value(event).unwrap();
        let text = |name: &str| value[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
        let number = |name: &str| value[name].as_u64().map(|number| format!(" {name} {number}")).unwrap_or_default();
        let line = [
            text("event"),
            text("job"),
            text("step"),
            text("outcome"),
            text("reason"),
            number("attempt"),
            number("delay-ms"),
        ];
        format!("{}{}\n", event.at, line.concat())
    };
    ran.events.iter().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_a_little_later() {
    let yaml = "
steps:
- id: flaky
  uses: task
  retry: {attempts: 3, delay: 100ms, factor: 3, jitter: false}
- id: denied
  if: always()
  uses: task
  retry: 3
  continue-on-error: true
";
    let script = Script::default()
        .step("flaky", [Act::Sleep(10), failed(FailureKind::Transient)])
        .step("denied", [failed(FailureKind::Denied)]);
    let ran = play(yaml, script, false).await;
    insta::assert_snapshot!(story(&ran), @r#"
    0 run-started
    0 job-started main
    0 step-started main flaky attempt 1
    10 step-retrying main flaky attempt 1 delay-ms 100
    110 step-started main flaky attempt 2
    120 step-retrying main flaky attempt 2 delay-ms 300
    420 step-started main flaky attempt 3
    430 step-finished main flaky failed
    430 step-started main denied attempt 1
    430 step-finished main denied allowed-to-fail
    430 job-finished main failed
    430 run-finished failed
    "#);
    let attempts: Vec<_> = ran.script.calls.lock().unwrap().iter().map(|call| call.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 1]);
}

#[tokio::test(start_paused = true)]
async fn only_what_looks_like_it_is_tried_again() {
    let yaml = "
steps:
- {id: busy, uses: task, continue-on-error: true, retry: {attempts: 3, delay: 1ms, on: [{exit-code: 75}]}}
- {id: broken, uses: task, retry: {attempts: 3, delay: 1ms, on: {message: RESET}}}
";
    let ends_with = |code: i64| [Act::Output("exit-code", json!(code)), failed(FailureKind::Failed)];
    let script = Script::default().step("busy", ends_with(75)).step("broken", ends_with(75));
    let ran = play(yaml, script, false).await;
    let attempts: Vec<_> =
        ran.script.calls.lock().unwrap().iter().map(|call| format!("{} {}", call.id.step, call.attempt)).collect();
    assert_eq!(attempts, ["busy 1", "busy 2", "busy 3", "broken 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_waits_for_its_next_attempt_can_be_cancelled() {
    let yaml = "steps: [{id: flaky, uses: task, retry: {attempts: 9, delay: 1h, max-delay: 1h}}]\n";
    let script = Script::default().step("flaky", [failed(FailureKind::Failed)]).order(50, Control::Cancel);
    let ran = play(yaml, script, false).await;
    assert_eq!(ran.outcome, Outcome::Cancelled);
    assert_eq!(ran.events.last().unwrap().at, 50);
}

#[tokio::test(start_paused = true)]
async fn a_matrix_from_a_result_takes_the_place_of_its_job() {
    let yaml = "
jobs:
  find:
    steps: [{id: list, uses: task}]
    outputs: {folders: '${{ steps.list.outputs.folders }}'}
  count:
    needs: [find]
    matrix: {folder: '${{ needs.find.outputs.folders }}'}
    max-parallel: 1
    steps:
    - {id: one, uses: task, env: {FOLDER: '${{ matrix.folder }}'}}
  last:
    needs: [count]
    if: needs.count.cells.all(cell, cell.outcome == 'passed') && needs.count.cells[1].matrix.folder == 'b'
    steps: [{id: end, uses: task}]
";
    let script = Script::default().step("list", [Act::Output("folders", json!(["a", "b"]))]);
    let ran = play(yaml, script, false).await;
    insta::assert_snapshot!(story(&ran), @r#"
    0 run-started
    0 job-started find
    0 step-started find list attempt 1
    0 step-finished find list passed
    0 job-finished find passed
    0 job-expanded count
    0 job-started count (a)
    0 step-started count (a) one attempt 1
    0 step-finished count (a) one passed
    0 job-finished count (a) passed
    0 job-started count (b)
    0 step-started count (b) one attempt 1
    0 step-finished count (b) one passed
    0 job-finished count (b) passed
    0 job-started last
    0 step-started last end attempt 1
    0 step-finished last end passed
    0 job-finished last passed
    0 run-finished passed
    "#);
    let folders: Vec<_> =
        ran.script.calls.lock().unwrap().iter().filter_map(|call| call.env.get("FOLDER").cloned()).collect();
    assert_eq!(folders, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_fails_ends_the_others() {
    let yaml = "
steps:
- id: each
  for-each: [1, 2, 3, 4]
  max-parallel: 2
  uses: task
  with: {level: '${{ item }}'}
- id: told
  if: failure() && steps.each.items[0].outcome == 'failed'
  uses: task
";
    let script = Script::default()
        .step("each[0]", [Act::Sleep(10), failed(FailureKind::Failed)])
        .step("each[1]", [Act::Sleep(500)]);
    let ran = play(yaml, script, false).await;
    insta::assert_snapshot!(story(&ran), @r#"
    0 run-started
    0 job-started main
    0 step-expanded main each
    0 step-started main each[0] attempt 1
    0 step-started main each[1] attempt 1
    10 step-finished main each[0] failed
    10 step-finished main each[2] skipped another item of this step failed
    10 step-finished main each[3] skipped another item of this step failed
    10 step-finished main each[1] cancelled
    10 step-started main told attempt 1
    10 step-finished main told passed
    10 job-finished main failed
    10 run-finished failed
    "#);
}

/// The record is cut after every event in turn; the rest of the run is as it was, and nothing that ended starts again.
#[tokio::test(start_paused = true)]
async fn a_run_goes_on_from_any_event() {
    let yaml = "
jobs:
  a:
    matrix: {n: [1, 2]}
    steps:
    - {id: one, uses: task}
    - {id: each, for-each: [x, y], uses: task}
    outputs: {count: '${{ steps.one.outputs.count }}'}
  b:
    needs: [a]
    steps:
    - {id: two, uses: task, with: {level: '${{ needs.a.outputs.count[1] }}'}}
    - {id: bad, uses: task, retry: {attempts: 2, delay: 5ms}}
    - {id: three, uses: task}
on-failure: [{id: hook, uses: task}]
";
    let script = || {
        Script::default()
            .step("one", [Act::Sleep(5), Act::Output("count", json!(7))])
            .step("bad", [failed(FailureKind::Failed)])
    };
    let whole = play(yaml, script(), false).await;
    let starts = |events: &[Event]| {
        let started = events.iter().filter_map(|event| match &event.kind {
            EventKind::StepStarted { id, .. } => Some(id.to_string()),
            _ => None,
        });
        started.collect::<std::collections::BTreeSet<_>>()
    };
    for cut in 1..whole.events.len() {
        let before = &whole.events[..cut];
        let rest = play_again(yaml, script(), false, Reuse::of("run-1", before)).await;
        assert_eq!(rest.outcome, whole.outcome, "after event {cut}");
        let done = before.iter().filter_map(|event| match &event.kind {
            EventKind::StepFinished { id, outcome, .. } if *outcome != Outcome::Skipped => Some(id.to_string()),
            _ => None,
        });
        let expected: std::collections::BTreeSet<_> =
            starts(&whole.events).difference(&done.collect()).cloned().collect();
        assert_eq!(starts(&rest.events), expected, "after event {cut}");
    }
}
