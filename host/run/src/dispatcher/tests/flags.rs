//! `continue-on-error` by expression: what is allowed to fail, cell by cell and step by step.

use serde_json::Value;

use super::script::{Act, Script};
use super::*;

fn fails() -> Act {
    Act::Fail(Failure::new(FailureKind::Failed, "it broke"))
}

/// Names of jobs and steps with their outcomes.
fn ends(ran: &Ran) -> Vec<String> {
    let ends = ran.events.iter().filter_map(|event| match &event.kind {
        EventKind::StepFinished { id, outcome, .. } => Some(format!("{id} {outcome}")),
        EventKind::JobFinished { job, outcome, .. } => Some(format!("{job} {outcome}")),
        _ => None,
    });
    ends.collect()
}

#[tokio::test(start_paused = true)]
async fn one_cell_may_fail_and_another_may_not() {
    let yaml = |broken: &str| {
        format!(
            "
jobs:
  test:
    continue-on-error: ${{{{ matrix.experimental }}}}
    max-parallel: 1
    matrix: {{include: [{{v: new, experimental: true}}, {{v: old, experimental: false}}]}}
    steps: [{{id: go, uses: task, if: matrix.v == '{broken}'}}]
"
        )
    };
    let script = || Script::default().step("go", [fails()]);
    let ran = play(&yaml("new"), script(), false).await;
    assert_eq!(ran.outcome, Outcome::Passed);
    let expected = [
        "test (new, true)/go failed",
        "test (new, true) allowed-to-fail",
        "test (old, false)/go skipped",
        "test (old, false) passed",
    ];
    assert_eq!(ends(&ran), expected);
    let ran = play(&yaml("old"), script(), false).await;
    assert_eq!((ran.outcome, ends(&ran).pop()), (Outcome::Failed, Some("test (old, false) failed".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn what_only_the_run_knows_decides_too() {
    let yaml = "
jobs:
  find:
    steps: [{id: look, uses: task}]
    outputs: {lax: '${{ steps.look.outputs.lax }}'}
  work:
    needs: find
    continue-on-error: ${{ needs.find.outputs.lax }}
    steps:
    - {id: mode, uses: task}
    - {id: soft, uses: task, continue-on-error: \"${{ steps.mode.outputs.soft }}\"}
    - {id: each, uses: task, for-each: [true, false], fail-fast: false, continue-on-error: '${{ item }}'}
";
    let script = |lax: Value| {
        Script::default()
            .step("look", [Act::Output("lax", lax)])
            .step("mode", [Act::Output("soft", json!(true))])
            .step("soft", [fails()])
            .step("each[0]", [fails()])
            .step("each[1]", [fails()])
    };
    let ran = play(yaml, script(json!(true)), false).await;
    assert_eq!(ran.outcome, Outcome::Passed);
    let expected = [
        "find/look passed",
        "find passed",
        "work/mode passed",
        "work/soft allowed-to-fail",
        "work/each[0] allowed-to-fail",
        "work/each[1] failed",
        "work allowed-to-fail",
    ];
    assert_eq!(ends(&ran), expected);
    let ran = play(yaml, script(json!(false)), false).await;
    assert_eq!((ran.outcome, ends(&ran).pop()), (Outcome::Failed, Some("work failed".to_owned())));
    let ran = play(yaml, script(json!("yes")), false).await;
    assert_eq!(ran.outcome, Outcome::Failed, "{}", ran.lines());
    assert!(ran.lines().contains("the condition `needs.find.outputs.lax` is text, not a boolean"), "{}", ran.lines());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_is_not_allowed() {
    let yaml = "
steps:
- {id: mode, uses: task}
- {id: soft, uses: task, continue-on-error: '${{ steps.mode.outputs.soft }}'}
";
    let ran = play(yaml, Script::default().step("soft", [fails()]), false).await;
    assert_eq!(ends(&ran), ["main/mode passed", "main/soft failed", "main failed"]);
    assert!(ran.lines().contains("`continue-on-error` could not be asked: "), "{}", ran.lines());
}
