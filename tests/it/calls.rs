//! Jobs that call another workflow, from outside.

use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::environment::{Environment, Ran};

const ROOT: &str = r#"
inputs: {private: {default: hush-input}}
env: {CALLER: hush-variable}
jobs:
  build:
    outputs: {version: "${{ steps.v.outputs.stdout }}"}
    steps:
      - {id: v, run: "echo build >> log; echo 1.2"}
  release:
    needs: build
    uses: ./ci/release.yaml
    with: {version: "${{ needs.build.outputs.version }}"}
    secrets: {TOKEN: DEPLOY_TOKEN}
  after:
    needs: release
    steps:
      - run: echo "after ${{ needs.release.outputs.url }}" >> log
"#;

const RELEASE: &str = r#"
inputs: {version: {}}
outputs: {url: "${{ needs.publish.outputs.url }}"}
env: {OWN: "own ${{ inputs.version }}"}
jobs:
  check:
    steps:
      - run: 'echo "token $TOKEN" && env | sort > environment'
        with: {secret-env: {TOKEN: TOKEN}}
  publish:
    needs: check
    outputs: {url: "https://x/${{ inputs.version }}"}
    steps:
      - {id: one, run: "echo one >> log"}
      - {id: two, run: "echo \"two $OWN\" >> log"}
finally:
  - run: echo "finally ${{ needs.publish.outcome }}" >> log
"#;

fn environment() -> Environment {
    let mut environment = Environment::new();
    environment.write("sluice.yaml", ROOT).write("ci/release.yaml", RELEASE);
    environment.variable("SLUICE_SECRET_DEPLOY_TOKEN", "hunter2-deploy");
    environment
}

fn lines(environment: &Environment) -> Vec<String> {
    let lines = environment.read("log").lines().map(str::to_owned).collect();
    environment.write("log", "");
    lines
}

#[track_caller]
fn says(ran: &Ran, text: &str) {
    assert!(ran.unwrapped().contains(text), "`{text}` is not in\n{}", ran.whole());
}

#[test]
fn a_called_workflow_runs_with_what_it_is_passed_and_nothing_else() {
    let environment = environment();
    let ran = environment.sluice(&["run", "--json"]).exits_with(0);
    assert_eq!(lines(&environment), ["build", "one", "two own 1.2", "finally passed", "after https://x/1.2"]);
    says(&ran, "token ***");
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.whole());
    let seen = environment.read("environment");
    assert!(seen.contains("OWN=own 1.2\n") && seen.contains("TOKEN=hunter2-deploy\n"), "{seen}");
    for private in ["CALLER", "hush", "SLUICE_SECRET", "DEPLOY_TOKEN"] {
        assert!(!seen.contains(private), "{private} reached the called workflow:\n{seen}");
    }
    environment.sluice(&["rerun"]).exits_with(0);
    assert_eq!(lines(&environment).len(), 5);
}

#[test]
fn a_secret_that_is_not_passed_is_refused() {
    let mut environment = environment();
    // The environment has a secret of the very name, and so has the caller; neither is for the called workflow.
    environment.variable("SLUICE_SECRET_TOKEN", "hunter2-of-the-environment");
    environment.write("sluice.yaml", ROOT.replace("    secrets: {TOKEN: DEPLOY_TOKEN}\n", ""));
    insta::assert_snapshot!("calls_secret_not_passed", environment.sluice(&["run"]).exits_with(2).whole());
    let sources = "secrets: {TOKEN: {env: MY_TOKEN}}\n";
    environment.write("sluice.yaml", format!("{sources}{}", ROOT.replace("    secrets: {TOKEN: DEPLOY_TOKEN}\n", "")));
    environment.sluice(&["run"]).exits_with(2);
    // With a source of its own it has one, and the variable of the caller's secret does not go before it.
    environment.variable("MY_TOKEN", "hunter2-own-source");
    environment.write("sluice.yaml", ROOT.replace("    secrets: {TOKEN: DEPLOY_TOKEN}\n", ""));
    environment.write("ci/release.yaml", format!("{sources}{RELEASE}"));
    environment.sluice(&["run"]).exits_with(0);
    assert!(environment.read("environment").contains("TOKEN=hunter2-own-source\n"));
    let plan = environment.sluice(&["plan"]).exits_with(0);
    says(&plan, "secret release.TOKEN from env MY_TOKEN, for step-1");
    says(&plan, "secret TOKEN is release.TOKEN");
    // What is passed goes before it.
    environment.write("sluice.yaml", ROOT);
    environment.sluice(&["run"]).exits_with(0);
    assert!(environment.read("environment").contains("TOKEN=hunter2-deploy\n"));
    // By itself it is like any other workflow.
    environment.write("ci/release.yaml", RELEASE);
    environment.sluice(&["run", "ci/release.yaml", "-i", "version=1"]).exits_with(0);
}

#[test]
fn a_call_in_the_plan() {
    let environment = environment();
    insta::assert_snapshot!("calls_plan", environment.sluice(&["plan"]).exits_with(0).whole());
    insta::assert_snapshot!("calls_graph", environment.sluice(&["plan", "--graph"]).exits_with(0).whole());
    insta::assert_snapshot!("calls_json", environment.sluice(&["plan", "--json"]).exits_with(0).whole());
    // A plan in a file binds what the called file says.
    environment.sluice(&["plan", "-o", "plan.json"]).exits_with(0);
    environment.write("ci/release.yaml", RELEASE.replace("echo one", "echo uno"));
    let ran = environment.sluice(&["run", "--plan", "plan.json"]).exits_with(2);
    says(&ran, "step `release.publish/one` is not as the plan");
    environment.write("ci/release.yaml", RELEASE);
    environment.sluice(&["run", "--plan", "plan.json"]).exits_with(0);
}

#[test]
fn parts_of_a_call() {
    let environment = environment();
    for (arguments, expected) in [
        (&["--job", "release"][..], &["build", "one", "two own 1.2", "finally passed"][..]),
        (&["--job", "release.publish"], &["build", "one", "two own 1.2", "finally passed"]),
        (&["--job", "release.check"], &["build"]),
        (&["--job", "build"], &["build"]),
        (&["--job", "after"], &["build", "one", "two own 1.2", "finally passed", "after https://x/1.2"]),
    ] {
        environment.sluice(&[&["run"], arguments].concat()).exits_with(0);
        assert_eq!(lines(&environment), expected, "{arguments:?}");
    }
    let fixed = ROOT.replace("${{ needs.build.outputs.version }}", "3");
    let ran = environment.sluice(&["run", "--step", "release.publish/two"]).exits_with(2);
    says(&ran, "its call needs `needs.build.outputs.version`");
    environment.write("sluice.yaml", fixed);
    environment.sluice(&["run", "--step", "release.publish/two"]).exits_with(0);
    assert_eq!(lines(&environment), ["two own 3"]);
    for (arguments, text) in [
        (["--job", "release.pubish"], "`publish`"),
        (["--job", "build.x"], "has no job `build.x`"),
        (["--step", "release/one"], "calls a workflow and has no steps itself"),
    ] {
        says(&environment.sluice(&[&["run"], &arguments[..]].concat()).exits_with(2), text);
    }
}

#[test]
fn a_run_that_was_killed_inside_a_call_goes_on_there() {
    let environment = environment();
    let dying = RELEASE.replace("echo \\\"two", "test -e ok || { until grep -q step-finished.*one .sluice/runs/*/events.jsonl; do sleep 0.01; done; touch dying; sleep 60; }; echo \\\"two");
    assert_ne!(dying, RELEASE);
    environment.write("ci/release.yaml", dying);
    // No program can end the run; somebody else can.
    let mut run = environment.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !environment.workspace().join("dying").exists() {
        assert!(Instant::now() < end, "the step does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(lines(&environment), ["build", "one"]);
    environment.write("ok", "");
    // It goes on with the texts that it began with, whatever the files say now.
    environment.write("ci/release.yaml", "steps: [{run: echo other >> log}]");
    environment.sluice(&["resume"]).exits_with(0);
    assert_eq!(lines(&environment), ["two own 1.2", "finally passed", "after https://x/1.2"]);
    environment.sluice(&["resume", "--from", "release.publish/two"]).exits_with(0);
    assert_eq!(lines(&environment), ["two own 1.2", "finally passed", "after https://x/1.2"]);
    environment.sluice(&["resume", "--from", "release"]).exits_with(0);
    assert_eq!(lines(&environment), ["one", "two own 1.2", "finally passed", "after https://x/1.2"]);
    environment.sluice(&["resume", "--from", "build/v"]).exits_with(0);
    assert_eq!(lines(&environment).len(), 5);
}

#[test]
fn what_failed_inside_a_call_is_run_again() {
    let environment = environment();
    environment.write("ci/release.yaml", RELEASE.replace("echo \\\"two", "test -e ok; echo \\\"two"));
    let ran = environment.sluice(&["run"]).exits_with(1);
    assert_eq!(lines(&environment), ["build", "one", "finally failed"]);
    says(&ran, "ci/release.yaml:");
    environment.write("ok", "");
    environment.sluice(&["rerun", "--failed"]).exits_with(0);
    assert_eq!(lines(&environment), ["one", "two own 1.2", "finally passed", "after https://x/1.2"]);
}

#[test]
fn calls_that_cannot_be_made() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "jobs:\n  gone: {uses: ci/gone.yaml}\n  away: {uses: ci/away.yaml}\n  bad: {uses: ci/bad.yaml}\n  circle: {uses: ci/circle.yaml}\n",
    );
    environment.write("ci/bad.yaml", "jobs:\n  a: {steps: [{rum: x}]}\n");
    environment.write("ci/circle.yaml", "jobs:\n  back: {uses: ./sluice.yaml}\n");
    symlink("/etc/hostname", environment.workspace().join("ci/away.yaml")).unwrap();
    insta::assert_snapshot!("calls_refused", environment.sluice(&["check"]).exits_with(2).whole());
    // What is wrong in the plan of a called file is told there, too.
    environment.write("sluice.yaml", "jobs:\n  one: {uses: ci/bad.yaml}\n  two: {uses: ci/bad.yaml}\n");
    environment.write("ci/bad.yaml", "requires: {commands: {no-such-program: \"*\"}}\nsteps: [{uses: lnt}]\n");
    insta::assert_snapshot!("calls_bad_plan", environment.sluice(&["check"]).exits_with(2).whole());
    environment.write("ci/bad.yaml", "requires: {commands: {no-such-program: \"*\"}}\nsteps: [{run: echo}]\n");
    says(&environment.sluice(&["run"]).exits_with(2), "the program `no-such-program` is not there");
}

#[test]
fn a_deployment_inside_a_call_is_rolled_back() {
    let environment = Environment::new();
    environment
        .write("site/index.html", "one\n")
        .write("sluice.yaml", "jobs: {ship: {uses: ./ship.yaml, with: {to: public}}}\n")
        .write(
            "ship.yaml",
            "inputs: {to: {}}\nsteps: [{id: site, uses: deploy, with: {to: '${{ inputs.to }}', from: site}}]\n",
        );
    environment.sluice(&["run"]).exits_with(0);
    environment.write("site/index.html", "two\n");
    environment.sluice(&["run"]).exits_with(0);
    assert_eq!(environment.read("public/current/index.html"), "two\n");
    environment.sluice(&["rollback", "--step", "ship.main/site"]).exits_with(0);
    assert_eq!(environment.read("public/current/index.html"), "one\n");
}
