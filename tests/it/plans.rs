//! Plans as pictures, and plans in files that are run exactly or refused.

use std::fs;

use crate::environment::{Environment, Ran, repository};

const PIPELINE: &str = "\
name: release
inputs: {to: {default: public}}
jobs:
  lint: {steps: [{run: echo lint}]}
  fetch: {steps: [{run: echo fetch}]}
  unit: {needs: fetch, steps: [{run: echo unit}, {name: 'say \"hi\"] <end>', run: echo more}]}
  e2e: {needs: fetch, if: 'inputs.to == \"nowhere\"', steps: [{run: echo e2e}]}
  deploy:
    needs: [lint, unit, e2e]
    if: needs.unit.outcome == 'passed'
    steps: [{id: site, uses: deploy, with: {to: \"${{ inputs.to }}\", from: site}}]
finally:
- {run: echo done}
";

fn pipeline() -> Environment {
    let environment = Environment::new();
    environment.write("workflows/release.yaml", PIPELINE).write("site/index.html", "one\n");
    environment
}

#[test]
fn a_plan_is_drawn_in_every_form() {
    let mut environment = pipeline();
    for format in ["text", "mermaid", "dot"] {
        let ran = environment.sluice(&["plan", &format!("--graph={format}")]).exits_with(0);
        insta::assert_snapshot!(format!("graph_{format}"), ran.stdout);
    }
    let text = environment.sluice(&["plan", "--graph"]).exits_with(0).stdout;
    assert_eq!(text, environment.sluice(&["plan", "--graph=text"]).stdout, "text unless said otherwise");
    let svg = environment.sluice(&["plan", "--graph=svg"]).exits_with(0).stdout;
    assert!(svg.starts_with("<svg ") && svg.contains("say &quot;hi&quot;] &lt;end&gt;"), "{svg}");
    environment.variable("LANG", "C");
    assert!(environment.sluice(&["plan", "--graph"]).exits_with(0).stdout.is_ascii());
    environment.sluice(&["plan", "--graph=png"]).exits_with(2);
    environment.sluice(&["plan", "--graph", "--json"]).exits_with(2);
}

fn bound() -> Environment {
    let environment = pipeline();
    environment.sluice(&["plan", "-i", "to=there", "-o", "release.plan"]).exits_with(0);
    environment
}

fn run_plan(environment: &Environment) -> Ran {
    environment.sluice(&["run", "--plan", "release.plan", "--plain"])
}

#[test]
fn a_plan_in_a_file_is_run_with_its_inputs() {
    let environment = bound();
    assert!(!environment.workspace().join(".sluice").exists(), "planning runs nothing");
    run_plan(&environment).exits_with(0);
    assert_eq!(environment.read("there/current/index.html"), "one\n");
    run_plan(&environment).exits_with(0);
    environment.sluice(&["run", "--plan", "release.plan", "-i", "to=x"]).exits_with(2);
    environment.sluice(&["run", "release", "--plan", "release.plan"]).exits_with(2);
}

#[test]
fn a_plan_that_is_no_longer_the_same_is_refused_with_the_difference() {
    let environment = bound();
    let changed = PIPELINE
        .replace("echo unit", "echo other")
        .replace("from: site}", "from: site, keep: 3}, grants: {files: [read site, write there]}")
        .replace("{steps: [{run: echo lint}]}", "{steps: [{run: echo lint}, {id: new, run: echo new}], timeout: 5m}")
        .replace("finally:\n- {run: echo done}\n", "")
        .replace("'passed'", "'failed'");
    environment.write("workflows/release.yaml", changed);
    let ran = run_plan(&environment).exits_with(2);
    assert!(!environment.workspace().join(".sluice/runs").exists(), "nothing ran");
    insta::assert_snapshot!("changed_plan", ran.whole());

    environment.write("workflows/release.yaml", format!("# a remark\n{PIPELINE}"));
    run_plan(&environment).exits_with(0);
}

#[test]
fn a_plugin_with_other_bytes_is_another_plan() {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), Into::into);
    let environment = Environment::new();
    let mut plugin = fs::read(target.join("guests/greet.wasm")).unwrap();
    environment
        .write("greet.wasm", &plugin)
        .write("sluice.yaml", "steps:\n  - {uses: ./greet.wasm, with: {args: [ada]}}\n");
    environment.sluice(&["plan", "-o", "release.plan"]).exits_with(0);
    run_plan(&environment).exits_with(0);
    // A custom section with the name `x` and nothing in it.
    plugin.extend([0, 2, 1, b'x']);
    environment.write("greet.wasm", plugin);
    insta::assert_snapshot!("changed_plugin", run_plan(&environment).exits_with(2).stderr);
}

#[test]
fn a_plan_for_one_run_runs_once() {
    let environment = Environment::new();
    environment.write("sluice.yaml", "steps:\n  - run: echo run=${{ run.id }}\n");
    environment.sluice(&["plan", "-o", "release.plan"]).exits_with(0);
    let plan: serde_json::Value = serde_json::from_str(&environment.read("release.plan")).unwrap();
    let id = plan["run"].as_str().unwrap().to_owned();
    run_plan(&environment).exits_with(0);
    assert!(environment.workspace().join(format!(".sluice/runs/{id}")).is_dir(), "the run has the id of the plan");
    let again = run_plan(&environment).exits_with(2);
    assert!(again.stderr.contains("plan::has-run"), "{}", again.whole());
}

#[test]
fn a_damaged_or_foreign_file_is_told() {
    let environment = bound();
    let plan = environment.read("release.plan");
    let elsewhere = plan.replace("\"workflows/release.yaml\"", "\"../../etc/passwd\"");
    for (name, content) in [
        ("missing", None),
        ("empty", Some(String::new())),
        ("cut", Some(plan[..plan.len() / 2].to_owned())),
        ("json", Some("{\"jobs\": {}}".to_owned())),
        ("damaged", Some(plan.replace("\"given\"", "\"gvien\""))),
        ("elsewhere", Some(elsewhere)),
        ("newer", Some(plan.replace("\"sluice-plan\": 1", "\"sluice-plan\": 2"))),
        ("tampered", Some(plan.replace("\"to\": \"there\"", "\"to\": \"elsewhere\""))),
        ("older", Some(plan.replacen(env!("CARGO_PKG_VERSION"), "0.0.1", 1).replace("echo fetch", "echo was"))),
    ] {
        match content {
            Some(content) => environment.write("release.plan", content),
            None => {
                fs::remove_file(environment.workspace().join("release.plan")).unwrap();
                &environment
            }
        };
        let ran = run_plan(&environment).exits_with(2);
        assert_eq!(ran.stdout, "", "{name}");
        insta::assert_snapshot!(format!("bad_plan_{name}"), ran.stderr.replace(env!("CARGO_PKG_VERSION"), "[VERSION]"));
    }
    assert!(!environment.workspace().join(".sluice/runs").exists(), "nothing ran");
}

#[test]
fn what_git_says_belongs_to_the_plan() {
    let environment = Environment::new();
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        assert!(command.current_dir(environment.workspace()).output().unwrap().status.success(), "{arguments:?}");
    };
    environment.write(
        "sluice.yaml",
        "steps:\n  - {id: x, run: echo}\n  - {run: echo on, if: 'git.sha != steps.x.outputs.stdout'}\n",
    );
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    environment.sluice(&["plan", "-o", "release.plan"]).exits_with(0);
    run_plan(&environment).exits_with(0);
    git(&["commit", "-q", "--allow-empty", "-m", "two"]);
    let ran = run_plan(&environment).exits_with(2);
    assert!(ran.stderr.contains("the repository") && ran.stderr.contains("git.sha:"), "{}", ran.whole());
}
