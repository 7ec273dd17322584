//! Several runners at once on one repository.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::{WORKFLOWS, environment, recorded, side_by_side, start};
use crate::environment::{Environment, Ran};

/// How often each is tried.
const ROUNDS: usize = 16;

fn at_once(environment: &Environment, runners: usize, arguments: &[&str]) -> Vec<Ran> {
    let start = |_| environment.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<Child> = (0..runners).map(start).collect();
    // Each says less than a pipe holds.
    children.into_iter().map(|child| Ran::of(child.wait_with_output().unwrap())).collect()
}

#[test]
fn runners_at_once_have_records_of_their_own() {
    const RUNNERS: usize = 6;
    side_by_side(ROUNDS, |_| {
        let environment = environment(WORKFLOWS[0].1);
        let mut ids = BTreeSet::new();
        for ran in at_once(&environment, RUNNERS, &["run", "--json"]) {
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.whole());
            let events = ran.events();
            let id = events[0]["run"].as_str().unwrap().to_owned();
            let recorded = environment.sluice(&["runs", "show", "--json", &id]).exits_with(0).events();
            let kinds = |events: &[Value]| events.iter().map(|event| event["event"].clone()).collect::<Vec<_>>();
            assert_eq!(kinds(&recorded), kinds(&events), "{id}");
            assert!(recorded.iter().enumerate().all(|(at, event)| event["seq"] == at), "{id} has gaps");
            ids.insert(id);
        }
        assert_eq!(ids.len(), RUNNERS);
    });
    println!("{RUNNERS} runners at once, {ROUNDS} times: each with a whole record of its own");
}

#[test]
fn one_of_several_resumes_goes_on() {
    const RUNNERS: usize = 4;
    side_by_side(ROUNDS, |round| {
        let environment = environment(WORKFLOWS[0].1);
        let mut child = start(&environment);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("step-started") && line.contains("\"second\"")));
        child.kill().unwrap();
        child.wait().unwrap();
        let before = recorded(&environment).len();
        if before == 0 {
            return;
        }
        let ran = at_once(&environment, RUNNERS, &["resume", "--json"]);
        let codes: Vec<i32> = ran.iter().map(|ran| ran.code).collect();
        let went_on = ran.iter().filter(|ran| ran.code == 0).count();
        assert_eq!(went_on, 1, "round {round}: {codes:?}");
        for ran in ran.iter().filter(|ran| ran.code != 0) {
            let told = ["run::still-running", "run::has-ended"].iter().any(|code| ran.stderr.contains(code));
            assert!(ran.code == 2 && told, "round {round}: {}", ran.whole());
        }
        let after = recorded(&environment);
        let resumed = after.iter().filter(|event| event["event"] == "run-resumed").count();
        assert_eq!(resumed, 1, "round {round}");
        assert!(after.iter().enumerate().all(|(at, event)| event["seq"] == at), "round {round}: the record has gaps");
        assert_eq!(after.last().unwrap()["outcome"], "passed", "round {round}");
    });
    println!("{RUNNERS} resumes of one run at once, {ROUNDS} times: exactly one goes on");
}
