//! Runs that go on, and runs that are run again.

use std::process::Command;
use std::time::Duration;

use crate::environment::Environment;

/// Two jobs, one of which fails until the file `ok` is there; each step leaves a line.
fn failing() -> Environment {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "\
jobs:
  a:
    steps:
      - {id: one, run: echo one >> log}
      - {id: two, run: echo two >> log; test -e ok}
      - {if: always(), run: echo tidy >> log}
  b:
    steps:
      - run: until grep -q tidy log; do sleep 0.01; done; echo b >> log
  c:
    needs: [a, b]
    steps:
      - run: echo c >> log
finally:
  - run: echo finally >> log
",
    );
    environment.sluice(&["run"]).exits_with(1);
    assert_eq!(lines(&environment), ["one", "two", "tidy", "b", "finally"]);
    environment
}

/// The lines since the last call.
fn lines(environment: &Environment) -> Vec<String> {
    let lines = environment.read("log").lines().map(str::to_owned).collect();
    environment.write("log", "");
    lines
}

#[test]
fn a_run_that_ended_is_not_resumed() {
    let environment = failing();
    let ran = environment.sluice(&["resume"]).exits_with(2);
    assert!(ran.stderr.contains("run::has-ended") && ran.stderr.contains("rerun --failed"), "{}", ran.whole());
    environment.sluice(&["resume", "2020"]).exits_with(2);
}

#[test]
fn what_failed_is_run_again_with_what_needs_it() {
    let environment = failing();
    environment.sluice(&["rerun", "--failed"]).exits_with(1);
    assert_eq!(lines(&environment), ["one", "two", "tidy", "finally"]);
    environment.write("ok", "");
    let ran = environment.sluice(&["rerun", "--failed", "--json"]).exits_with(0);
    assert_eq!(lines(&environment), ["one", "two", "tidy", "c", "finally"]);
    let reused: Vec<_> = ran.events().into_iter().filter(|event| event["event"] == "step-reused").collect();
    assert_eq!(reused.len(), 1, "{}", ran.whole());
    assert_eq!((reused[0]["job"].as_str(), reused[0]["outcome"].as_str()), (Some("b"), Some("passed")));
    environment.sluice(&["rerun"]).exits_with(0);
    assert_eq!(lines(&environment).len(), 6, "everything");
    let list: serde_json::Value =
        serde_json::from_str(&environment.sluice(&["runs", "list", "--json"]).stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 4, "each is a run of its own");
}

#[test]
fn a_run_goes_back_to_a_step() {
    let environment = failing();
    environment.write("ok", "");
    environment.sluice(&["resume", "--from", "a/two"]).exits_with(0);
    assert_eq!(lines(&environment), ["two", "tidy", "c", "finally"]);
    let info = environment.sluice(&["runs", "show"]).exits_with(0);
    assert!(info.stdout.contains("6 steps passed"), "{}", info.whole());
    let ran = environment.sluice(&["resume", "--from", "a/tow"]).exits_with(2);
    assert!(ran.stderr.contains("a step with a similar name exists: `a/two`"), "{}", ran.whole());
}

#[test]
fn a_cancelled_run_goes_on() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "\
steps:
  - run: echo one >> log
  - run: test -e ok || sleep 60; echo two >> log
  - {if: cancelled(), run: echo cancelled >> log}
on-cancel:
  - run: echo on-cancel >> log
finally:
  - run: echo finally >> log
",
    );
    let mut child = environment.command(&["run"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    while !environment.workspace().join("log").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    // The second step may not have begun; then it is skipped, which comes to the same.
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(lines(&environment), ["one", "cancelled", "on-cancel", "finally"]);
    environment.write("ok", "");
    environment.sluice(&["resume"]).exits_with(0);
    assert_eq!(lines(&environment), ["two", "finally"]);
}

/// A plugin that has other bytes would make another plan of the run.
#[test]
fn a_run_whose_plugin_changed_is_refused() {
    let environment = Environment::new();
    environment.write("vendor/x.wasm", crate::environment::guest("greet.wasm"));
    environment.write("sluice.yaml", "steps:\n  - uses: ./vendor/x.wasm\n  - run: test -e ok\n");
    environment.sluice(&["run"]).exits_with(1);
    environment.write("vendor/x.wasm", crate::environment::guest("noop.wasm"));
    let ran = environment.sluice(&["resume", "--from", "main/step-2"]).exits_with(2);
    assert!(
        ran.stderr.contains("run::plan-changed") && ran.unwrapped().contains("step `main/step-1`: digest: sha256:"),
        "{}",
        ran.whole()
    );
}

#[test]
fn the_time_of_a_run_is_limited() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "timeout: 200ms\nsteps:\n  - run: sleep 60\n  - run: echo never >> log\non-failure:\n  - run: echo late >> log\n",
    );
    let ran = environment.sluice(&["run"]).exits_with(1);
    assert!(ran.unwrapped().contains("the run took longer than its timeout of 200 ms"), "{}", ran.whole());
    assert_eq!(lines(&environment), ["late"]);
}

#[test]
fn the_first_failure_ends_the_run_if_asked() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "jobs:\n  a: {steps: [{run: exit 1}]}\n  b: {needs: [c], steps: [{run: echo b >> log}]}\n  c: {steps: [{run: sleep 0.3; echo c >> log}]}\n",
    );
    environment.write("log", "");
    environment.sluice(&["run", "-j", "2"]).exits_with(1);
    assert_eq!(lines(&environment), ["c", "b"]);
    let ran = environment.sluice(&["run", "-j", "2", "--fail-fast"]).exits_with(1);
    assert_eq!(lines(&environment), [""; 0]);
    assert!(ran.stdout.contains("the first failure ends the run"), "{}", ran.whole());
}
