//! Parts of workflows, and differences between plans.

use serde_json::json;
use sluice_model::{Problem, Source};
use sluice_workflow::Workflow;

use super::show;
use crate::{Difference, Selection, differences, select};

const WORKFLOW: &str = "
jobs:
  lint: {steps: [{run: lint}]}
  build:
    steps: [{id: fetch, run: fetch}, {id: pack, run: pack}]
    outputs: {digest: \"${{ steps.pack.outputs.stdout }}\"}
  deploy:
    needs: build
    env: {STAGE: test}
    steps:
    - {id: check, run: \"check $STAGE\"}
    - {id: site, run: \"put ${{ needs.build.outputs.digest }}\", if: \"steps.check.outcome == 'passed'\"}
    - {id: maybe, run: \"x ${{ has(needs.build) ? 1 : 2 }}\"}
finally:
- {id: always, run: clean}
- {id: tell, run: \"tell ${{ needs.lint.outcome }}\"}
";

fn selected(jobs: &[&str], step: Option<&str>) -> Result<Workflow, Vec<Problem>> {
    let (workflow, problems) = sluice_workflow::parse(&Source::new("test.yaml", WORKFLOW));
    assert_eq!(problems, []);
    let jobs = jobs.iter().map(|job| (*job).to_owned()).collect();
    select(workflow.unwrap(), &Selection { jobs, step: step.map(str::to_owned) })
}

fn steps(workflow: &Workflow) -> Vec<String> {
    let jobs = workflow.jobs.iter().flat_map(|(job, it)| it.steps.iter().map(move |step| format!("{job}/{}", step.id)));
    let hooks =
        workflow.hooks.iter().flat_map(|(hook, steps)| steps.iter().map(|step| format!("{}/{}", hook.name(), step.id)));
    jobs.chain(hooks).collect()
}

#[test]
fn jobs_come_with_what_they_need() {
    for (jobs, expected) in [
        (&["lint"][..], &["lint/step-1", "finally/always", "finally/tell"][..]),
        (&["build", "build"], &["build/fetch", "build/pack", "finally/always"]),
        (&["deploy"], &["build/fetch", "build/pack", "deploy/check", "deploy/site", "deploy/maybe", "finally/always"]),
    ] {
        assert_eq!(steps(&selected(jobs, None).unwrap()), expected, "{jobs:?}");
    }
    assert_eq!(steps(&selected(&[], None).unwrap()).len(), 8, "nothing asked for is everything");
}

#[test]
fn a_step_comes_alone() {
    for step in ["build/pack", "deploy/check", "deploy/maybe"] {
        let workflow = selected(&[], Some(step)).unwrap();
        assert_eq!(steps(&workflow), [step]);
        assert!(workflow.jobs.values().all(|job| job.needs.is_empty() && job.outputs.is_empty()));
    }
}

#[test]
fn what_cannot_be_selected_is_told() {
    let told = |jobs: &[&str], step| {
        let problems = selected(jobs, step).expect_err("refused");
        for problem in &problems {
            assert!(crate::CODES.iter().any(|explanation| explanation.code == problem.code), "{}", problem.code);
        }
        problems.iter().map(show).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(told(&["biuld", "ship"], None), @r"
    plan::unknown-job
    × the workflow `test` has no job `biuld`
    help: a job with a similar name exists: `build`

    plan::unknown-job
    × the workflow `test` has no job `ship`
    help: jobs: `lint`, `build`, `deploy`
    ");
    insta::assert_snapshot!(told(&[], Some("build/pak")), @r"
    plan::unknown-step
    × the job `build` has no step `pak`
    help: a step with a similar name exists: `build/pack`
    ");
    insta::assert_snapshot!(told(&[], Some("pack")), @r"
    plan::unknown-step
    × `pack` is no name of a step
    help: name the job too: `--step JOB/STEP`; a step without an `id` is `step-N`, counted from 1
    ");
    insta::assert_snapshot!(told(&[], Some("finally/always")), @r"
    plan::unknown-step
    × steps of `finally` do not run alone
    help: `finally` is for what comes after jobs; name a step of a job
    ");
    insta::assert_snapshot!(told(&[], Some("deploy/site")), @r"
    plan::not-alone
    × step `deploy/site` cannot run alone: it needs `needs.build.outputs.digest`
      12:32 `needs.build.outputs.digest`: the job `build` would not run
    help: run its job with all that it needs: `--job deploy`

    plan::not-alone
    × step `deploy/site` cannot run alone: it needs `steps.check.outcome`
      12:69 `steps.check.outcome`: the step `check` would not run
    help: run its job with all that it needs: `--job deploy`
    ");
}

#[test]
fn differences_are_told_by_name() {
    let old = json!({
        "jobs": {"a": {"steps": [{"id": "x", "digest": 1, "with": {"paths": ["p"]}}, {"id": "y"}]}, "b": {"steps": []}},
        "list": [[1], [2]],
    });
    let new = json!({
        "jobs": {"a": {"steps": [{"id": "x", "digest": 2, "with": {"paths": ["p", "q"]}}, {"id": "z"}]}},
        "list": [[1], [3]],
    });
    let shown: Vec<String> = differences(&old, &new)
        .into_iter()
        .map(|Difference { path, old, new }| {
            let value = |value: Option<serde_json::Value>| value.map_or("-".to_owned(), |value| value.to_string());
            format!("{}: {} -> {}", path.join("."), value(old), value(new))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "jobs.a.steps.x.digest: 1 -> 2",
            r#"jobs.a.steps.x.with.paths: ["p"] -> ["p","q"]"#,
            r#"jobs.a.steps.y: {"id":"y"} -> -"#,
            r#"jobs.a.steps.z: - -> {"id":"z"}"#,
            r#"jobs.b: {"steps":[]} -> -"#,
            "list.1: [2] -> [3]",
        ]
    );
    assert_eq!(differences(&old, &old), []);
    let [Difference { path, .. }] =
        differences(&json!([{"id": "a"}, {"name": "b"}]), &json!([{"name": "b"}, {"id": "a"}])).try_into().unwrap();
    assert_eq!(path, ["order"]);
}
