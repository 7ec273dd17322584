//! Runs that are asked to end, at every event, and what `sluice resume` makes of them.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{
    Undisturbed, WORKFLOWS, done, environment, named, nothing_is_half_written, nothing_survives, recorded,
    side_by_side, start, undisturbed,
};
use crate::environment::Environment;

/// How a run is asked to end, and the exit code that says so.
const WAYS: [(&str, &[&str], i32); 3] =
    [("SIGTERM", &["TERM"], 143), ("SIGINT", &["INT"], 130), ("SIGINT twice", &["INT", "INT"], 130)];

const HOOKS: [&str; 4] = ["finally/", "on-failure/", "on-success/", "on-cancel/"];

fn signal(child: &Child, name: &str) {
    Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
}

fn end_and_resume(environment: &Environment, mut child: Child, way: usize, expected: &Undisturbed, what: &str) {
    let (_, signals, code) = WAYS[way];
    signals.iter().for_each(|name| signal(&child, name));
    let status = child.wait().unwrap();
    nothing_survives(&environment.workspace(), what);
    nothing_is_half_written(&environment.workspace(), what);
    let before = recorded(environment);
    let last = before.last().unwrap_or_else(|| panic!("{what}: there is no record"));
    let outcome = last["outcome"].as_str().unwrap_or_default();
    if signals.len() == 1 {
        assert_eq!(last["event"], "run-finished", "{what}: it ended in order");
    }
    if last["event"] == "run-finished" && matches!(outcome, "passed" | "failed") {
        // It had ended when the signal came. The code may be that of either.
        assert!([Some(code), Some(expected.code)].contains(&status.code()), "{what}: {status}");
        return;
    }
    assert_eq!(status.code(), Some(code), "{what}");
    // The hooks of a call that had ended before stand; all others looked at an end that is none any more.
    let ended = |call: &str| before.iter().any(|event| event["job"] == call && event["outcome"] == "passed");
    let hook = |id: &String| {
        HOOKS.iter().any(|hook| match id.split_once(&format!(".{hook}")) {
            Some((call, _)) => !ended(call),
            None => id.starts_with(hook),
        })
    };
    let all_hooks = expected.steps.iter().filter(|id| id.starts_with("finally/")).count();
    let hooks = named(&before, &["step-finished"]).into_iter().filter(|id| id.starts_with("finally/")).count();
    if signals.len() == 1 {
        assert_eq!(hooks, all_hooks, "{what}: `finally` ran");
    }
    let mut stands = done(&before);
    stands.retain(|id| last["event"] != "run-finished" || !hook(id));
    let ran = environment.sluice(&["resume", "--json", "--repeat", "deploy/site"]);
    assert_eq!(ran.code, expected.code, "{what}: {}", ran.whole());
    let events = ran.events();
    let started = named(&events, &["step-started"]);
    assert_eq!(started, expected.left(&stands), "{what}: steps that ran again");
    nothing_is_half_written(&environment.workspace(), what);
    assert!(recorded(environment).iter().enumerate().all(|(at, event)| event["seq"] == at), "{what}: gaps");
}

#[test]
fn ended_by_signals_at_every_event() {
    let expected: Vec<_> = WORKFLOWS.iter().map(|(_, workflow)| undisturbed(workflow)).collect();
    let mut cases = Vec::new();
    for (which, expected) in expected.iter().enumerate() {
        let ways = (0..WAYS.len()).flat_map(|way| (0..expected.events).map(move |event| (which, way, event)));
        cases.extend(ways);
    }
    side_by_side(cases.len(), |number| {
        let (which, way, event) = cases[number];
        let (name, workflow) = WORKFLOWS[which];
        let environment = environment(workflow);
        let mut child = start(&environment);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let _ = lines.nth(event);
        let reader = std::thread::spawn(move || lines.count());
        let what = format!("{name}, {} after event {event}", WAYS[way].0);
        end_and_resume(&environment, child, way, &expected[which], &what);
        reader.join().unwrap();
    });
    let ways = WAYS.map(|(name, _, _)| name).join(", ");
    println!("ended at {} events by {ways}, and resumed, all as undisturbed", cases.len());
}

/// The first signal waits for what ends in order, the second for nothing.
#[test]
fn a_second_signal_ends_at_once() {
    for (first, second, code) in [("INT", "INT", 130), ("TERM", "INT", 143), ("INT", "TERM", 130)] {
        let environment = Environment::new();
        let stubborn = "trap '' TERM INT; touch started; while :; do sleep 60; done";
        environment.write("sluice.yaml", format!("steps:\n  - run: {stubborn}\nfinally:\n  - run: sleep 60\n"));
        let mut command = environment.command(&["run"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while !environment.workspace().join("started").exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before the signal");
            std::thread::sleep(Duration::from_millis(5));
        }
        signal(&child, first);
        // Not as one: the system keeps no count of equal signals.
        std::thread::sleep(Duration::from_millis(50));
        assert!(child.try_wait().unwrap().is_none(), "it waits for its step");
        let sent = Instant::now();
        signal(&child, second);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{first}, {second}");
        assert!(sent.elapsed() < Duration::from_secs(2), "{first}, {second}: {:?}", sent.elapsed());
        nothing_survives(&environment.workspace(), "a second signal");
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "", "it ends quietly");
    }
}
