//! Decisions become events; grants that nobody used are told.

use super::script::{Act, Script};
use super::*;

const YAML: &str = "
jobs:
  main:
    steps:
      - {id: used, uses: task, with: {url: 'https://a.example/x'}, grants: {http: ['POST https://a.example/x']}}
      - {id: unused, uses: task, with: {url: 'https://a.example/x'}, grants: {http: ['POST https://a.example/x']}}
      - {id: declared, uses: task, with: {url: 'https://a.example/x'}}
      - {id: denied, uses: task, with: {url: 'https://a.example/x'}, grants: {http: []}}
      - {id: skipped, uses: task, if: 'false', with: {url: 'https://a.example/x'}, grants: {http: ['POST https://a.example/x']}}
";

fn warnings(ran: &Ran) -> Vec<&str> {
    let warnings = ran.events.iter().filter_map(|event| match &event.kind {
        EventKind::Warning { message } => Some(message.as_str()),
        _ => None,
    });
    warnings.collect()
}

#[tokio::test(start_paused = true)]
async fn a_decision_stands_with_its_step_and_plugin() {
    let script = Script::default().step("used", [Act::Request("POST https://a.example/x")]);
    let ran = play(YAML, script, false).await;
    let told: Vec<serde_json::Value> = ran
        .events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Decision { .. } | EventKind::DecisionsCounted { .. }))
        .map(|event| serde_json::to_value(event).unwrap())
        .collect();
    let ruling = json!({
        "capability": "http", "asked": "POST https://a.example/x", "verdict": "allowed", "rule": "POST https://a.example/x",
        "narrowest": "POST https://a.example/x",
    });
    let with = |mut value: serde_json::Value| {
        value.as_object_mut().unwrap().extend(ruling.as_object().unwrap().clone());
        value
    };
    let digest = Digest::from_bytes([7; 32]);
    assert_eq!(
        told,
        [
            with(json!({"seq": 3, "at": 0, "event": "decision", "job": "main", "step": "used", "digest": digest})),
            json!({
                "seq": 4, "at": 0, "event": "decisions-counted", "job": "main", "step": "used", "left-out": 0,
                "repeated": [with(json!({"times": 2}))],
            }),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn grants_that_a_step_names_and_does_not_use_are_told_once() {
    let script = || Script::default().step("used", [Act::Request("POST https://a.example/x")]);
    let ran = play(YAML, script(), false).await;
    let expected = "used nothing of what their `grants` name: `main/unused` (http); see `sluice grants learn`";
    assert_eq!(warnings(&ran), [expected]);
    assert_eq!(warnings(&play(YAML, script(), true).await), [""; 0], "a dry run does not use all that is needed");
    let fails = Act::Fail(Failure::new(FailureKind::Failed, "it broke"));
    let ran = play(YAML, script().step("unused", [fails]), false).await;
    assert_eq!(warnings(&ran), [""; 0], "it may not have come to what it needs");
}
