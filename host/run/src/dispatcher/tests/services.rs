//! Services: their ports, when the steps after them start, how they end, and what a resumed run does with them.

use std::collections::BTreeSet;

use super::script::{Act, Script};
use super::spread::story;
use super::*;

const FOR_EVER: Act = Act::Sleep(1_000_000_000);

fn broken(message: &str) -> Act {
    Act::Fail(Failure::new(FailureKind::Failed, message))
}

/// Why steps failed.
fn failures(ran: &Ran) -> String {
    let failure = |event: &Event| match &event.kind {
        EventKind::StepFinished { id, failure: Some(failure), .. } => {
            let label =
                failure.place.as_ref().map(|place| format!(" [{}:{} {}]", place.line, place.column, place.label));
            Some(format!("{id}: {}: {}{}\n", failure.message, failure.causes.join(": "), label.unwrap_or_default()))
        }
        _ => None,
    };
    ran.events.iter().filter_map(failure).collect()
}

fn call(ran: &Ran, id: &str) -> crate::runner::StepCall {
    let calls = ran.script.calls.lock().unwrap();
    calls.iter().find(|call| call.id.to_string() == id).unwrap_or_else(|| panic!("no call of {id}")).clone()
}

const TWO: &str = "
jobs:
  test:
    services:
      db: {uses: task, port: auto, ready: {exec: ask}, with: {level: '${{ services.db.port }}'}}
      web: {uses: task, port: 8080, ready: {log: 'open on [0-9]+'}, env: {PORT: own}}
    env: {DB: '${{ services.db.port }}'}
    steps:
    - {id: use, uses: task, with: {level: '${{ services.web.port }}'}}
    outputs: {port: '${{ services.db.port }}'}
";

#[tokio::test(start_paused = true)]
async fn steps_run_beside_services_that_are_ready_and_those_are_stopped_after_them() {
    let script = Script::default()
        .step("services.db", [FOR_EVER])
        .step("services.db.ready", [Act::Sleep(300)])
        .step("services.web", [Act::Sleep(50), Act::Say("starting\nopen on 8080"), FOR_EVER])
        .step("use", [Act::Sleep(1000)]);
    let ran = play(TWO, script, false).await;
    insta::assert_snapshot!(story(&ran), @"");
    assert_eq!(call(&ran, "test/services.db").inputs, json!({"level": 4001}));
    assert_eq!(json!(call(&ran, "test/services.db").env), json!({"DB": "4001", "PORT": "4001"}));
    assert_eq!(json!(call(&ran, "test/services.db.ready").env), json!({"DB": "4001", "PORT": "4001"}));
    assert_eq!(json!(call(&ran, "test/services.web").env), json!({"DB": "4001", "PORT": "own"}));
    assert_eq!(call(&ran, "test/use").inputs, json!({"level": 8080}));
    assert_eq!(*ran.script.ports.lock().unwrap(), [None, Some(8080)]);
    assert_eq!(call(&ran, "test/services.db").stop_timeout_ms, Some(5000));
}

/// Every way in which a service can spoil its job.
#[tokio::test(start_paused = true)]
async fn a_service_that_fails_fails_its_job_and_says_why() {
    let yaml = |ready: &str| {
        format!(
            "
jobs:
  test:
    services:
      first: {{uses: task}}
      db: {{uses: task, port: 5432{ready}}}
    steps:
    - {{id: use, uses: task}}
    - {{id: never, uses: task}}
    - {{id: log, if: always(), uses: task}}
"
        )
    };
    let script = || Script::default().step("services.first", [FOR_EVER]).step("services.db", [FOR_EVER]);
    let slow = || script().step("use", [Act::Sleep(5000)]);
    let code = |code| [Act::Sleep(100), Act::Output("exit-code", json!(code))];
    let cases = [
        ("never says it", yaml(", ready: {log: open, timeout: 3s}"), script()),
        (
            "probe gives up",
            yaml(", ready: {exec: ask, timeout: 3s}"),
            script().step("services.db.ready", [Act::Sleep(3000), broken("connection refused")]),
        ),
        ("probe hangs", yaml(", ready: {exec: ask, timeout: 3s}"), script().step("services.db.ready", [FOR_EVER])),
        ("dies at start", yaml(", ready: {exec: ask}"), {
            script()
                .step("services.db", [Act::Sleep(100), broken("it exited with 3")])
                .step("services.db.ready", [FOR_EVER])
        }),
        ("ends at start", yaml(", ready: {log: x}"), script().step("services.db", code(0))),
        ("dies in the middle", yaml(""), slow().step("services.db", [Act::Sleep(100), broken("it exited with 3")])),
        ("ends in the middle", yaml(""), slow().step("services.db", code(0))),
        ("panics", yaml(""), slow().step("services.db", [Act::Sleep(100), Act::Panic])),
        ("port is taken", yaml(""), script().taken(5432)),
        ("does not end", yaml(""), slow().step("services.db", [Act::Deaf(1_000_000)])),
    ];
    let mut told = String::new();
    for (name, yaml, script) in cases {
        let ran = play(&yaml, script, false).await;
        assert_eq!(ran.outcome, Outcome::Failed, "{name}");
        let ends = ran.events.iter().filter_map(|event| match &event.kind {
            EventKind::StepFinished { id, outcome, .. } => Some(format!("{} {outcome}", id.step)),
            _ => None,
        });
        let ends: Vec<String> = ends.collect();
        told += &format!("{name}, {} ms: {}\n{}\n", ran.events.last().unwrap().at, ends.join(", "), failures(&ran));
    }
    insta::assert_snapshot!(told, @"");
}

#[tokio::test(start_paused = true)]
async fn a_step_in_the_background_is_the_same_from_its_place_on() {
    let yaml = "
steps:
- {id: before, uses: task}
- {id: server, uses: task, background: true, port: auto, ready: {exec: ask}}
- {id: off, if: 'false', uses: task, background: true}
- {id: after, uses: task, env: {AT: '${{ services.server.port }}'}}
";
    let script = Script::default().step("server", [FOR_EVER]).step("after", [Act::Sleep(10)]);
    let ran = play(yaml, script, false).await;
    insta::assert_snapshot!(story(&ran), @"");
    assert_eq!(call(&ran, "main/after").env["AT"], "4001");
}

/// However a run ends early, its services end before it.
#[tokio::test(start_paused = true)]
async fn services_end_with_a_run_that_ends_early() {
    let script = |order| {
        Script::default()
            .step("services.db", [FOR_EVER])
            .step("services.web", [Act::Say("open on 1"), FOR_EVER])
            .step("use", [Act::Sleep(1000)])
            .order(order, Control::Cancel)
    };
    let mut told = String::new();
    // While the first one starts, while the step runs.
    let starting = script(50).step("services.db.ready", [Act::Sleep(300)]);
    for (name, script) in
        [("starting", starting), ("running", script(500)), ("killed", script(500).order(600, Control::Kill))]
    {
        let script = if name == "killed" { script.step("use", [Act::Deaf(10_000)]) } else { script };
        let ran = play(TWO, script, false).await;
        told += &format!("{name}\n{}\n", story(&ran));
    }
    insta::assert_snapshot!(told, @"");
}

#[tokio::test(start_paused = true)]
async fn cells_have_services_of_their_own() {
    let yaml = "
jobs:
  test:
    matrix: {n: [1, 2, 3]}
    services:
      db: {uses: task, port: auto}
    steps: [{id: use, uses: task, with: {level: '${{ services.db.port }}'}}]
";
    let script = Script::default().step("services.db", [FOR_EVER]).step("use", [Act::Sleep(10)]);
    let ran = play(yaml, script, false).await;
    assert_eq!(ran.outcome, Outcome::Passed);
    let calls = ran.script.calls.lock().unwrap();
    let ports: BTreeSet<String> =
        calls.iter().filter(|call| call.id.step == "use").map(|call| call.inputs["level"].to_string()).collect();
    assert_eq!(ports.len(), 3);
}

/// The record is cut after every event in turn: a service starts again if and only if a step of its cell has to run.
#[tokio::test(start_paused = true)]
async fn a_resumed_run_starts_the_services_that_it_needs() {
    let yaml = "
jobs:
  a:
    services: {db: {uses: task, ready: {exec: ask}}}
    steps:
    - {id: one, uses: task}
    - {id: each, for-each: [x, y], uses: task}
  b:
    needs: [a]
    services: {db: {uses: task}}
    steps: [{id: two, uses: task}, {id: bad, uses: task}, {id: never, uses: task}]
on-failure: [{id: hook, uses: task}]
";
    let script = || Script::default().step("services.db", [FOR_EVER]).step("bad", [Act::Sleep(5), broken("it broke")]);
    let whole = play(yaml, script(), false).await;
    let started = |events: &[Event]| {
        let started = events.iter().filter_map(|event| match &event.kind {
            EventKind::StepStarted { id, .. } => Some(id.to_string()),
            _ => None,
        });
        started.collect::<BTreeSet<_>>()
    };
    let is_service = |id: &String| id.contains("services");
    for cut in 1..whole.events.len() {
        let before = &whole.events[..cut];
        let rest = play_again(yaml, script(), false, Reuse::of("run-1", before)).await;
        assert_eq!(rest.outcome, whole.outcome, "after event {cut}");
        let done = before.iter().filter_map(|event| match &event.kind {
            EventKind::StepFinished { id, outcome, .. } if *outcome != Outcome::Skipped => Some(id.to_string()),
            _ => None,
        });
        let done: BTreeSet<String> = done.filter(|id| !is_service(id)).collect();
        let (services, others): (BTreeSet<_>, BTreeSet<_>) = started(&rest.events).into_iter().partition(is_service);
        let all = started(&whole.events);
        let expected: BTreeSet<String> =
            all.iter().filter(|id| !is_service(id) && !done.contains(*id)).cloned().collect();
        assert_eq!(others, expected, "after event {cut}");
        let needed = |job: &str| others.iter().any(|id| id.starts_with(job));
        let expected: BTreeSet<String> =
            ["a/", "b/"].into_iter().filter(|job| needed(job)).map(|job| format!("{job}services.db")).collect();
        // When the record does not tell whether a skipped step was the last thing in its job, they are started.
        let in_doubt = cut + 4 > whole.events.len() - 4 && services.is_superset(&expected);
        assert!(services == expected || in_doubt, "after event {cut}: {services:?}, not {expected:?}");
    }
}
