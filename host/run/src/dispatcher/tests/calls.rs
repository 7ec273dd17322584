//! Jobs that call workflows: what goes in, what comes out, in which order things happen.

use std::collections::BTreeMap;

use super::script::{Act, Script};
use super::*;

/// Plans the first of some files, which may call the others.
fn plan_files(files: &[(&str, &str)]) -> Plan {
    let sources: BTreeMap<&str, Source> = files.iter().map(|(name, text)| (*name, Source::new(*name, *text))).collect();
    let (workflow, problems) = sluice_workflow::load(&sources[files[0].0], &mut |file| Ok(sources[file].clone()));
    assert_eq!(problems, []);
    let workflow = workflow.unwrap();
    let inputs = sluice_workflow::bind_inputs(&workflow, &[]).unwrap();
    let facts = Facts { run: json!({"id": "run-1"}), ..Facts::default() };
    sluice_plan::plan(&workflow, &plugins(), inputs, facts, &sluice_plan::SharedPolicies::default()).unwrap()
}

async fn play_files(files: &[(&str, &str)], script: Script) -> Ran {
    play_plan(plan_files(files), script, false, Reuse::default()).await
}

/// Begins and ends, in order: `+ job`, `- job outcome`, `job/step outcome`.
fn course(ran: &Ran) -> String {
    let line = |event: &Event| match &event.kind {
        EventKind::JobStarted { job, .. } => Some(format!("+ {job}")),
        EventKind::JobFinished { job, outcome, outputs, .. } if outputs.is_empty() => {
            Some(format!("- {job} {outcome}"))
        }
        EventKind::JobFinished { job, outcome, outputs, .. } => Some(format!("- {job} {outcome} {}", json!(outputs))),
        EventKind::StepFinished { id, outcome, reason, failure, .. } => {
            let why = reason.clone().or_else(|| failure.as_ref().map(|failure| failure.message.clone()));
            Some(format!("  {id} {outcome}{}", why.map(|why| format!(": {why}")).unwrap_or_default()))
        }
        EventKind::StepReused { id, outcome, .. } => Some(format!("  {id} {outcome} before")),
        EventKind::Warning { message } => Some(format!("! {message}")),
        EventKind::RunFinished { outcome, .. } => Some(format!("= {outcome}")),
        _ => None,
    };
    ran.events.iter().filter_map(line).map(|line| line + "\n").collect()
}

const CALLED: &str = r#"
inputs: {version: {}, level: {type: integer, default: 5}}
env: {OWN: "own ${{ inputs.version }}"}
outputs: {url: "${{ needs.publish.outputs.url }}", outcome: "${{ needs.check.outcome }}"}
jobs:
  check:
    steps: [{id: look, uses: task, with: {level: "${{ inputs.level }}"}}]
  publish:
    needs: check
    outputs: {url: "${{ steps.put.outputs.url + inputs.version }}"}
    steps: [{id: put, uses: task, env: {STEP: "${{ env.OWN }}!"}}]
on-success: [{id: cheer, uses: task}]
on-failure: [{id: weep, uses: task}]
on-cancel: [{id: shrug, uses: task}]
finally: [{id: tidy, uses: task, with: {level: "${{ size(needs.publish.outcome) }}"}}]
"#;

const CALLING: &str = r#"
inputs: {private: {default: hush}}
env: {CALLER: "${{ inputs.private }}"}
jobs:
  build:
    outputs: {version: "${{ steps.make.outputs.version }}"}
    steps: [{id: make, uses: task}]
  release:
    needs: build
    uses: called.yaml
    with: {version: "${{ needs.build.outputs.version }}"}
    secrets: {TOKEN: DEPLOY_TOKEN}
  after:
    needs: release
    steps: [{id: open, uses: task, env: {URL: "${{ needs.release.outputs.url }} ${{ needs.release.outcome }}"}}]
"#;

fn script() -> Script {
    Script::default()
        .step("make", [Act::Output("version", json!("1.2"))])
        .step("put", [Act::Output("url", json!("https://x/"))])
}

fn failed() -> Act {
    Act::Fail(Failure::new(FailureKind::Failed, "it broke"))
}

#[tokio::test(start_paused = true)]
async fn values_go_in_and_come_out_and_nothing_else_does() {
    let files = [("sluice.yaml", CALLING), ("called.yaml", CALLED)];
    let ran = play_files(&files, script()).await;
    insta::assert_snapshot!(course(&ran));
    let calls = ran.script.calls.lock().unwrap();
    let call = |id: &str| calls.iter().find(|call| call.id.to_string() == id).unwrap();
    assert_eq!(json!(call("build/make").env), json!({"CALLER": "hush"}));
    assert_eq!(call("build/make").secrets, None);
    assert_eq!(json!(call("release.publish/put").env), json!({"OWN": "own 1.2", "STEP": "own 1.2!"}));
    assert_eq!(json!(call("after/open").env), json!({"CALLER": "hush", "URL": "https://x/1.2 passed"}));
    for call in calls.iter().filter(|call| call.id.job.starts_with("release.")) {
        assert_eq!(json!(call.secrets), json!({"TOKEN": "DEPLOY_TOKEN"}));
        let seen = format!("{} {} {}", call.inputs, json!(call.env), call.summary);
        for private in ["hush", "CALLER", "build", "run-1-not"] {
            assert!(!seen.contains(private), "{}: {seen}", call.id);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_inside_is_one_of_the_call() {
    let files = [("sluice.yaml", CALLING), ("called.yaml", CALLED)];
    let ran = play_files(&files, script().step("look", [failed()])).await;
    insta::assert_snapshot!("failure_inside", course(&ran));
    let tolerant = CALLING.replace("    uses: called.yaml", "    uses: called.yaml\n    continue-on-error: true");
    let files = [("sluice.yaml", tolerant.as_str()), ("called.yaml", CALLED)];
    let ran = play_files(&files, script().step("look", [failed()])).await;
    insta::assert_snapshot!("failure_inside_allowed", course(&ran));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_begin_skips_all_that_is_inside() {
    let condition =
        CALLING.replace("    uses: called.yaml", "    if: needs.build.outputs.version == \"2\"\n    uses: called.yaml");
    let ran = play_files(&[("sluice.yaml", condition.as_str()), ("called.yaml", CALLED)], script()).await;
    insta::assert_snapshot!("skipped_by_condition", course(&ran));
    let files = [("sluice.yaml", CALLING), ("called.yaml", CALLED)];
    let ran = play_files(&files, script().step("make", [failed()])).await;
    insta::assert_snapshot!("skipped_by_need", course(&ran));
    let always = CALLING.replace("    uses: called.yaml", "    if: always()\n    uses: called.yaml");
    let always = always.replace("${{ needs.build.outputs.version }}\"}\n    secrets", "none\"}\n    secrets");
    let ran =
        play_files(&[("sluice.yaml", always.as_str()), ("called.yaml", CALLED)], script().step("make", [failed()]))
            .await;
    insta::assert_snapshot!("despite_a_need", course(&ran));
}

#[tokio::test(start_paused = true)]
async fn an_input_that_does_not_fit_fails_what_is_inside() {
    let calling = CALLING.replace("with: {", "with: {level: \"${{ needs.build.outputs.version }}\", ");
    let ran = play_files(&[("sluice.yaml", calling.as_str()), ("called.yaml", CALLED)], script()).await;
    insta::assert_snapshot!(course(&ran));
    let place = ran.events.iter().find_map(|event| match &event.kind {
        EventKind::StepFinished { failure: Some(failure), .. } => failure.place.clone(),
        _ => None,
    });
    let place = place.unwrap();
    assert_eq!((place.file.as_str(), place.line), ("sluice.yaml", 11), "where it is passed");
}

#[tokio::test(start_paused = true)]
async fn a_failure_inside_points_into_the_called_file() {
    let called = CALLED.replace("\"${{ inputs.level }}\"", "\"${{ inputs.level / 0 }}\"");
    let ran = play_files(&[("sluice.yaml", CALLING), ("called.yaml", called.as_str())], script()).await;
    let place = ran.events.iter().find_map(|event| match &event.kind {
        EventKind::StepFinished { failure: Some(failure), .. } => failure.place.clone(),
        _ => None,
    });
    assert_eq!(place.unwrap().file, "called.yaml");
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_in_order_when_the_run_is_cancelled_or_its_time_is_over() {
    let files = [("sluice.yaml", CALLING), ("called.yaml", CALLED)];
    let slow = || script().step("look", [Act::Sleep(10_000)]);
    let ran = play_files(&files, slow().order(100, Control::Cancel)).await;
    insta::assert_snapshot!("cancelled_inside", course(&ran));
    let ran = play_files(&files, slow().order(100, Control::Cancel).order(200, Control::Kill)).await;
    assert_eq!(ran.outcome, Outcome::Cancelled);
    let timed = CALLING.replace("    uses: called.yaml", "    timeout: 1s\n    uses: called.yaml");
    let ran = play_files(&[("sluice.yaml", timed.as_str()), ("called.yaml", CALLED)], slow()).await;
    insta::assert_snapshot!("timed_out_inside", course(&ran));
    let own = format!("timeout: 1s\n{CALLED}");
    let again = play_files(&[("sluice.yaml", CALLING), ("called.yaml", own.as_str())], slow()).await;
    assert_eq!(course(&again), course(&ran), "the called workflow's own timeout is that of the call");
}

#[tokio::test(start_paused = true)]
async fn a_called_workflow_that_fails_fast_ends_itself_only() {
    let calling =
        "jobs:\n  call: {uses: called.yaml, continue-on-error: true}\n  other: {steps: [{id: long, uses: task}]}\n";
    let called = "fail-fast: true\njobs:\n  a: {steps: [{id: bad, uses: task}]}\n  b: {steps: [{id: long, uses: task}]}\n  c: {needs: b, steps: [{uses: task}]}\n";
    let script = Script::default().step("bad", [Act::Sleep(10), failed()]).step("long", [Act::Sleep(5000)]);
    let ran = play_files(&[("sluice.yaml", calling), ("called.yaml", called)], script).await;
    insta::assert_snapshot!(course(&ran));
}

#[tokio::test(start_paused = true)]
async fn calls_are_nested_and_the_same_file_is_called_twice() {
    let root = "jobs:\n  one: {uses: middle.yaml, with: {n: 1}}\n  two: {needs: one, uses: middle.yaml, with: {n: \"${{ needs.one.outputs.n + 1 }}\"}}\n  end: {needs: two, steps: [{uses: task, with: {level: \"${{ needs.two.outputs.n }}\"}}]}\n";
    let middle = "inputs: {n: {type: integer}}\noutputs: {n: \"${{ needs.deep.outputs.n }}\"}\njobs:\n  deep: {uses: deep.yaml, with: {n: \"${{ inputs.n * 10 }}\"}}\n";
    let deep = "inputs: {n: {type: integer}}\noutputs: {n: \"${{ needs.a.outputs.n + inputs.n }}\"}\njobs:\n  a:\n    outputs: {n: \"${{ inputs.n }}\"}\n    steps: [{id: s, uses: task, with: {level: \"${{ inputs.n }}\"}}]\n";
    let files = [("sluice.yaml", root), ("middle.yaml", middle), ("deep.yaml", deep)];
    let ran = play_files(&files, Script::default()).await;
    insta::assert_snapshot!(course(&ran));
    let levels = |ran: &Ran| {
        let calls = ran.script.calls.lock().unwrap();
        calls.iter().map(|call| format!("{} {}", call.id, call.inputs["level"])).collect::<Vec<_>>()
    };
    assert_eq!(levels(&ran), ["one.deep.a/s 10", "two.deep.a/s 210", "end/step-1 420"]);
    // What was done stands, wherever it was done.
    for cut in 0..ran.events.len() {
        let reuse = Reuse::of("run-1", &ran.events[..cut]);
        let resumed = play_plan(plan_files(&files), Script::default(), false, reuse).await;
        assert_eq!(resumed.outcome, Outcome::Passed);
        let done = ran.events[..cut].iter().filter(|event| matches!(event.kind, EventKind::StepFinished { .. }));
        assert_eq!(levels(&resumed).len(), 3 - done.count(), "{cut}");
        assert_eq!(levels(&resumed), levels(&ran)[3 - levels(&resumed).len()..]);
    }
}
