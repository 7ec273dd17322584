//! Parts of a workflow: `--job`, `--step`.

use crate::environment::Environment;

fn workflow() -> Environment {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "\
jobs:
  lint: {steps: [{run: echo lint}]}
  build:
    steps: [{id: fetch, run: echo fetch}, {id: pack, run: echo pack}]
    outputs: {digest: \"${{ steps.pack.outputs.stdout }}\"}
  deploy: {needs: build, steps: [{id: site, run: 'echo put ${{ needs.build.outputs.digest }}'}]}
finally:
- {id: clean, run: echo clean}
- {id: tell, run: 'echo ${{ needs.lint.outcome }}'}
",
    );
    environment
}

/// The steps that ran.
fn steps(environment: &Environment, arguments: &[&str]) -> Vec<String> {
    let ran = environment.sluice(&[&["run", "--json"], arguments].concat()).exits_with(0);
    let started = ran.events().into_iter().filter(|event| event["event"] == "step-started");
    let mut steps: Vec<String> = started
        .map(|event| format!("{}/{}", event["job"].as_str().unwrap(), event["step"].as_str().unwrap()))
        .collect();
    steps.sort();
    steps
}

#[test]
fn only_what_was_asked_for_runs() {
    let environment = workflow();
    assert_eq!(steps(&environment, &[]).len(), 6);
    assert_eq!(steps(&environment, &["--job", "lint"]), ["finally/clean", "finally/tell", "lint/step-1"]);
    let deploy = ["build/fetch", "build/pack", "deploy/site", "finally/clean"];
    assert_eq!(steps(&environment, &["--job", "deploy"]), deploy);
    assert_eq!(steps(&environment, &["--job", "deploy", "--job", "build"]), deploy);
    assert_eq!(steps(&environment, &["--step", "build/pack"]), ["build/pack"]);
    let plan = environment.sluice(&["plan", "--step", "build/pack"]).exits_with(0).stdout;
    assert!(plan.contains("pack") && !plan.contains("fetch"), "{plan}");
}

#[test]
fn a_part_is_bound_like_a_whole() {
    let environment = workflow();
    environment.sluice(&["plan", "--job", "build", "-o", "build.plan"]).exits_with(0);
    assert_eq!(steps(&environment, &["--plan", "build.plan"]), ["build/fetch", "build/pack", "finally/clean"]);
}

#[test]
fn what_cannot_run_alone_is_refused() {
    let environment = workflow();
    let mut shown = String::new();
    for arguments in [
        &["run", "--job", "lnit", "--job", "ship"][..],
        &["plan", "--step", "build/pak"],
        &["run", "--step", "pack"],
        &["run", "--step", "deploy/site"],
        &["run", "--step", "finally/clean"],
        &["run", "--job", "lint", "--step", "build/pack"],
    ] {
        let ran = environment.sluice(arguments).exits_with(2);
        shown.push_str(&format!("$ sluice {}\n{}\n", arguments.join(" "), ran.stderr));
    }
    insta::assert_snapshot!(shown);
    assert!(!environment.workspace().join(".sluice").exists(), "nothing ran");
}
