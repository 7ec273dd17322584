//! Names for people, with their values.

use super::script::{Act, Script};
use super::*;

/// What people read when jobs and steps start.
fn titles(ran: &Ran) -> Vec<String> {
    let titles = ran.events.iter().filter_map(|event| match &event.kind {
        EventKind::JobStarted { job, name } => Some(format!("{job}: {}", name.as_deref().unwrap_or("-"))),
        EventKind::StepStarted { id, name, .. } => Some(format!("{id}: {name}")),
        _ => None,
    });
    titles.collect()
}

#[tokio::test(start_paused = true)]
async fn names_have_their_values() {
    let yaml = "
jobs:
  find:
    name: Find ${{ run.id }}
    steps: [{id: look, name: 'Look, ${{ 1 + 1 }} times', uses: task}]
    outputs: {list: '${{ steps.look.outputs.list }}'}
  test:
    needs: find
    name: Test on ${{ matrix.os }}
    matrix: {os: '${{ needs.find.outputs.list }}'}
    max-parallel: 1
    steps:
    - {id: each, name: 'Item ${{ index }} is ${{ item }}', for-each: [x, y], uses: task}
    - {id: all, name: Plain, for-each: [x], uses: task}
    - {id: env, name: '${{ env.WHO }}', env: {WHO: '${{ matrix.os }}'}, uses: task}
    - {id: lost, name: 'Read ${{ steps.env.outputs.nothing }}', uses: task}
";
    let script = Script::default().step("look", [Act::Output("list", json!(["a\u{1b}\nb"]))]);
    let ran = play(yaml, script, false).await;
    assert_eq!(
        titles(&ran),
        [
            "find: Find run-1",
            "find/look: Look, 2 times",
            "test (a  b): Test on a b",
            "test (a  b)/each[0]: Item 0 is x",
            "test (a  b)/each[1]: Item 1 is y",
            "test (a  b)/all[0]: Plain (x)",
            "test (a  b)/env: a b",
            "test (a  b)/lost: Read ${{ steps.env.outputs.nothing }}",
        ]
    );
}
