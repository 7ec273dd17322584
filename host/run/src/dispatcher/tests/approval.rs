use sluice_model::approval::GateState;
use sluice_model::{ApprovalRequest, Decision};

use super::script::{Act, Script};
use super::*;

const DEPLOY: &str = r#"
jobs:
  test:
    steps: [{id: unit, uses: task}]
    outputs: {version: "${{ steps.unit.outputs.version }}"}
  slow:
    steps: [{id: slow, uses: task}]
  deploy:
    needs: [test]
    approval:
      message: Deploy ${{ needs.test.outputs.version }}?
      by: [alice, bob]
      not-self: true
      timeout: 1m
    checklist:
      tests: ${{ needs.test.outcome == "passed" }}
      announced: {attest: "Was ${{ needs.test.outputs.version }} announced?"}
    steps: [{id: ship, uses: task}]
  after:
    needs: [deploy]
    steps: [{id: last, uses: task}]
on-failure: [{id: sorry, uses: task}]
"#;

fn script() -> Script {
    Script::default().step("unit", [Act::Output("version", json!("1.2"))]).step("slow", [Act::Sleep(500)])
}

fn says(approved: bool) -> Decision {
    Decision {
        job: "deploy".to_owned(),
        approved,
        by: Some("alice".to_owned()),
        actor: None,
        decided_at: 7,
        comment: Some("sure".to_owned()),
        attested: vec!["announced".to_owned()],
    }
}

/// Steps that ran, in order.
fn ran(ran: &Ran) -> Vec<String> {
    ran.script.calls.lock().unwrap().iter().map(|call| call.id.step.clone()).collect()
}

fn requests(ran: &Ran) -> Vec<ApprovalRequest> {
    let request = |event: &Event| match &event.kind {
        EventKind::ApprovalRequested(request) => Some(request.clone()),
        _ => None,
    };
    ran.events.iter().filter_map(request).collect()
}

fn refused(ran: &Ran) -> Option<Failure> {
    ran.events.iter().find_map(|event| match &event.kind {
        EventKind::JobRefused { failure, .. } => Some(failure.clone()),
        _ => None,
    })
}

fn outcome_of(ran: &Ran, wanted: &str) -> Option<Outcome> {
    ran.events.iter().find_map(|event| match &event.kind {
        EventKind::JobFinished { job, outcome, .. } if job == wanted => Some(*outcome),
        _ => None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_for_a_yes_while_others_go_on() {
    let script = script().somebody().order(1000, Control::Answer(says(true)));
    let played = play(DEPLOY, script, false).await;
    assert_eq!(played.outcome, Outcome::Passed);
    assert_eq!(ran(&played), ["unit", "slow", "ship", "last"]);
    let [request] = requests(&played).try_into().unwrap();
    assert_eq!(request.message, "Deploy 1.2?");
    assert_eq!(request.until, Some(60_000));
    assert_eq!((request.by.join(","), request.not_by.as_deref()), ("alice,bob".to_owned(), Some("carol")));
    assert_eq!(
        request.gates.iter().map(|gate| gate.state).collect::<Vec<_>>(),
        [GateState::Holds, GateState::ToAttest]
    );
    assert_eq!(request.to_attest().collect::<Vec<_>>(), [("announced", "Was 1.2 announced?")]);
    let given = played.events.iter().position(|event| event.kind == EventKind::ApprovalGiven(says(true)));
    let ship = played
        .events
        .iter()
        .position(|event| matches!(&event.kind, EventKind::JobStarted { job, .. } if job == "deploy"));
    assert!(given.is_some() && given < ship, "{}", played.lines());
}

#[tokio::test(start_paused = true)]
async fn a_no_fails_the_job_and_hooks_run() {
    let script = script().somebody().order(10, Control::Answer(says(false)));
    let played = play(DEPLOY, script, false).await;
    assert_eq!(played.outcome, Outcome::Failed);
    assert_eq!(ran(&played), ["unit", "slow", "sorry"]);
    assert_eq!(outcome_of(&played, "deploy"), Some(Outcome::Failed));
    let failure = refused(&played).unwrap();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::NotApproved, "denied by alice: sure"));
    assert_eq!(failure.place.unwrap().line, 11);
    assert!(
        played
            .lines()
            .contains(r#""step":"ship","outcome":"skipped","duration-ms":0,"reason":"denied by alice: sure""#)
    );
    assert!(played.lines().contains("the job `deploy`, which it needs, failed"), "{}", played.lines());
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_no() {
    let script = script().somebody().order(60_001, Control::Answer(says(true)));
    let played = play(DEPLOY, script, false).await;
    assert_eq!((played.outcome, ran(&played)), (Outcome::Failed, vec!["unit".into(), "slow".into(), "sorry".into()]));
    assert_eq!(refused(&played).unwrap().message, "denied: nobody answered within 1 min");
    assert!(played.lines().contains("60000 approval-given"), "{}", played.lines());
}

#[tokio::test(start_paused = true)]
async fn a_run_is_parked_and_goes_on_with_the_answer() {
    let first = play(DEPLOY, script(), false).await;
    assert!(first.parked, "{}", first.lines());
    assert_eq!(ran(&first), ["unit", "slow"]);
    let last = first.events.last().unwrap();
    assert_eq!(last.kind, EventKind::RunParked { jobs: vec!["deploy".to_owned()], duration_ms: 500 });
    // Nobody has said anything: it is asked again, and the time is that of the first question.
    let again = play_again(DEPLOY, script(), false, Reuse::of("run-1", &first.events)).await;
    assert!(again.parked && ran(&again).is_empty());
    assert_eq!(requests(&again)[0].until, Some(60_000));
    for (approved, steps) in [(true, vec!["ship", "last"]), (false, vec!["sorry"])] {
        let given = Event { seq: 0, at: 0, kind: EventKind::ApprovalGiven(says(approved)) };
        let reuse = Reuse::of("run-1", again.events.iter().chain([&given]));
        let rest = play_again(DEPLOY, script(), false, reuse).await;
        assert_eq!(rest.outcome, if approved { Outcome::Passed } else { Outcome::Failed });
        assert_eq!(ran(&rest), steps);
        assert!(requests(&rest).is_empty() && rest.lines().contains("approval-given"), "{}", rest.lines());
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_time_for_an_answer_is_over_is_denied() {
    let first = play(DEPLOY, script(), false).await;
    let mut events = first.events;
    for event in &mut events {
        if let EventKind::ApprovalRequested(request) = &mut event.kind {
            request.until = Some(0);
        }
    }
    let again = play_again(DEPLOY, script(), false, Reuse::of("run-1", &events)).await;
    assert_eq!((again.outcome, ran(&again)), (Outcome::Failed, vec!["sorry".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_away_leaves_a_parked_run() {
    let script = script().somebody().order(10, Control::NoAnswer { job: "deploy".to_owned() });
    let played = play(DEPLOY, script, false).await;
    assert!(played.parked);
    assert_eq!(ran(&played), ["unit", "slow"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_ends_the_question() {
    let script = script().somebody().order(10, Control::Cancel);
    let played = play(DEPLOY, script, false).await;
    assert_eq!(played.outcome, Outcome::Cancelled);
    assert_eq!(outcome_of(&played, "deploy"), Some(Outcome::Skipped));
    assert!(
        played
            .lines()
            .contains(r#""step":"ship","outcome":"skipped","duration-ms":0,"reason":"the run was cancelled""#)
    );
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_asks_nobody() {
    let played = play(DEPLOY, script(), true).await;
    assert_eq!(played.outcome, Outcome::Passed, "{}", played.lines());
    assert!(requests(&played).is_empty());
}

#[tokio::test(start_paused = true)]
async fn gates_that_do_not_hold_fail_the_job_without_a_question() {
    let yaml = r#"
jobs:
  test:
    steps: [{id: unit, uses: task}]
    outputs: {coverage: "${{ steps.unit.outputs.coverage }}"}
  deploy:
    needs: [test]
    approval: Deploy?
    checklist:
      tests: needs.test.outcome == "passed"
      coverage: {check: "${{ needs.test.outputs.coverage >= 80 }}", message: at least 80 %}
      size: ${{ needs.test.outputs.coverage == 5 }}
    steps: [{uses: task}]
"#;
    let script = Script::default().step("unit", [Act::Output("coverage", json!(79))]);
    let played = play(yaml, script, false).await;
    assert_eq!((played.outcome, ran(&played)), (Outcome::Failed, vec!["unit".to_owned()]));
    assert!(requests(&played).is_empty());
    let failure = refused(&played).unwrap();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Gate, "gates `coverage`, `size` do not hold"));
    assert_eq!(failure.causes, ["coverage: at least 80 %", "size: needs.test.outputs.coverage == 5"]);
    assert_eq!(failure.place.unwrap().line, 11);
    assert!(played.lines().contains("checklist-checked"), "{}", played.lines());
}

/// A checklist that only checks asks nobody, and what cannot be evaluated does not hold.
#[tokio::test(start_paused = true)]
async fn a_checklist_may_do_without_people() {
    let yaml = "
jobs:
  test: {steps: [{id: unit, uses: task}], outputs: {n: '${{ steps.unit.outputs.n }}'}}
  good: {needs: test, checklist: {fine: 'needs.test.outcome == \"passed\"'}, steps: [{id: a, uses: task}]}
  bad: {needs: test, continue-on-error: true, checklist: {fine: needs.test.outputs.n > 1}, steps: [{id: b, uses: task}]}
";
    let played = play(yaml, Script::default(), false).await;
    assert_eq!((played.outcome, ran(&played)), (Outcome::Passed, vec!["unit".to_owned(), "a".to_owned()]));
    assert_eq!(outcome_of(&played, "bad"), Some(Outcome::AllowedToFail));
    assert_eq!(refused(&played).unwrap().message, "gate `fine` does not hold");
}

#[tokio::test(start_paused = true)]
async fn a_matrix_is_asked_about_once() {
    let yaml = "
jobs:
  find: {steps: [{id: list, uses: task}], outputs: {all: '${{ steps.list.outputs.all }}'}}
  deploy:
    needs: find
    matrix: {region: '${{ needs.find.outputs.all }}'}
    approval: Deploy?
    steps: [{id: ship, uses: task}]
";
    let list = || Script::default().step("list", [Act::Output("all", json!(["eu", "us"]))]);
    let script = list().somebody().order(10, Control::Answer(says(true)));
    let played = play(yaml, script, false).await;
    assert_eq!((played.outcome, requests(&played).len()), (Outcome::Passed, 1));
    assert_eq!(ran(&played), ["list", "ship", "ship"]);
    let script = list().somebody().order(10, Control::Answer(says(false)));
    let played = play(yaml, script, false).await;
    assert_eq!(played.outcome, Outcome::Failed);
    assert_eq!(outcome_of(&played, "deploy (us)"), Some(Outcome::Failed), "{}", played.lines());
}
