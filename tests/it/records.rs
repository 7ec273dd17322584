//! Every run leaves a record; it can be read again, and a deployment can be undone from it.

use std::process::Command;

use crate::environment::{Environment, Ran};

fn deploying() -> Environment {
    let environment = Environment::new();
    environment
        .write("site/index.html", "one\n")
        .write("sluice.yaml", "steps:\n  - id: site\n    uses: deploy\n    with: {to: public, from: site}\n");
    environment
}

fn latest(environment: &Environment) -> Vec<serde_json::Value> {
    environment.sluice(&["runs", "show", "--json"]).exits_with(0).events()
}

#[test]
fn a_run_is_recorded_whole() {
    let environment = deploying();
    environment.sluice(&["run"]).exits_with(0);
    let events = latest(&environment);
    assert_eq!(events.first().unwrap()["event"], "run-started");
    assert_eq!(events.last().unwrap()["event"], "run-finished");
    assert_eq!(events.last().unwrap()["outcome"], "passed");
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], index, "no gaps");
    }
    let list = environment.sluice(&["runs", "list"]).exits_with(0).stdout;
    assert!(list.contains("passed"), "{list}");
    let show = environment.sluice(&["runs", "show"]).exits_with(0).stdout;
    assert!(show.contains("public/releases/"), "{show}");
}

#[test]
fn logs_are_read_again() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "jobs:\n  a:\n    steps:\n      - run: echo from-a\n  b:\n    steps:\n      - {id: x, run: echo from-b}\n",
    );
    environment.sluice(&["run"]).exits_with(0);
    let all = environment.sluice(&["runs", "logs"]).exits_with(0).stdout;
    assert!(all.contains("from-a") && all.contains("from-b"), "{all}");
    let one = environment.sluice(&["runs", "logs", "--step", "b/x"]).exits_with(0).stdout;
    assert!(!one.contains("from-a") && one.contains("from-b"), "{one}");
    environment.sluice(&["runs", "logs", "--step", "b/none"]).exits_with(2);
}

#[test]
fn a_deployment_is_rolled_back() {
    let environment = deploying();
    environment.sluice(&["run"]).exits_with(0);
    environment.write("site/index.html", "two\n");
    environment.sluice(&["run"]).exits_with(0);
    assert_eq!(environment.read("public/current/index.html"), "two\n");
    let decisions = || {
        let audit = environment.sluice(&["runs", "audit", "--json"]).exits_with(0).stdout;
        let audit: serde_json::Value = serde_json::from_str(&audit).unwrap();
        audit["decisions"].as_array().unwrap().len()
    };
    let before = decisions();
    environment.sluice(&["rollback"]).exits_with(0);
    assert_eq!(environment.read("public/current/index.html"), "one\n");
    // It is on record, with what was decided for it, and the record fits together.
    assert!(decisions() > before);
    let show = environment.sluice(&["runs", "show", "--json"]).exits_with(0).stdout;
    assert!(show.contains("deploy-rolled-back"), "{show}");
    let verified = environment.sluice(&["runs", "verify"]).exits_with(0).stdout;
    assert!(verified.contains("is as it was written") && !verified.contains("has no end"), "{verified}");
}

#[test]
fn a_dry_run_changes_nothing() {
    let environment = deploying();
    let ran = environment.sluice(&["run", "--dry-run"]).exits_with(0);
    assert!(!environment.workspace().join("public").exists(), "{}", ran.whole());
    assert!(ran.whole().contains("create"), "{}", ran.whole());
}

#[test]
fn a_record_that_cannot_be_written_changes_no_verdict() {
    let environment = deploying();
    environment.write(".sluice", "a file where the folder should be");
    let ran = environment.sluice(&["run"]);
    assert_eq!(ran.code, 0, "{}", ran.whole());
    assert!(ran.stderr.contains("record"), "{}", ran.whole());
    assert!(environment.workspace().join("public/current").exists());
}

#[test]
fn signals_end_a_run_with_their_code() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let environment = Environment::new();
        environment
            .write("sluice.yaml", "steps:\n  - run: touch started && sleep 60\nfinally:\n  - run: touch cleaned\n");
        let mut child = environment.command(&["run"]).stderr(std::process::Stdio::null()).spawn().unwrap();
        while !environment.workspace().join("started").exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before the signal");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        assert!(environment.workspace().join("cleaned").exists(), "finally ran");
        assert_eq!(latest(&environment).last().unwrap()["outcome"], "cancelled");
    }
}

#[test]
fn a_record_that_was_changed_is_found_out() {
    let environment = deploying();
    environment.sluice(&["run"]).exits_with(0);
    // Ids and hashes as they are.
    let raw = |arguments: &[&str]| Ran::of(environment.command(arguments).output().unwrap());
    let verified = raw(&["runs", "verify", "--json"]).exits_with(0).stdout;
    let verified: serde_json::Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verified["ended"], true);
    assert_eq!(verified["files"], serde_json::json!(["origin.json", "plan.json", "workflow.yaml"]));
    let hash = verified["hash"].as_str().unwrap();
    let expected = raw(&["runs", "verify", "--expect", hash]).exits_with(0).stdout;
    assert!(expected.contains("is as it was written") && expected.contains(hash), "{expected}");
    let other = format!("sha256:{}", "0".repeat(64));
    let refused = environment.sluice(&["runs", "verify", "--expect", &other]).exits_with(1);
    assert!(refused.stderr.contains("is another one"), "{}", refused.stderr);

    let run = verified["run"].as_str().unwrap();
    let events = format!(".sluice/runs/{run}/events.jsonl");
    let text = environment.read(&events);
    environment.write(&events, text.replace("\"outcome\":\"passed\"", "\"outcome\":\"failed\""));
    let refused = environment.sluice(&["runs", "verify"]).exits_with(1);
    assert!(refused.stderr.contains("run::record-edited") && refused.stderr.contains("line "), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
    environment.sluice(&["runs", "verify", "2019"]).exits_with(2);
}
