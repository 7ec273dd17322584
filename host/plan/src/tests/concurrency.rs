//! Groups of runs, known before the run.

use serde_json::json;
use sluice_workflow::concurrency::WhenBusy;

use super::{plan, plugin, plugins, refuse};

const STEPS: &str = "steps: [{uses: exec}]\n";

#[test]
fn a_group_has_its_name_before_the_run() {
    let plugins = plugins([plugin("exec", &[])]);
    for (concurrency, group, when_busy) in [
        ("deploy", "deploy", WhenBusy::Wait),
        ("'7'", "7", WhenBusy::Wait),
        ("'x-${{ git.branch }}-${{ env.STAGE }}'", "x-main-test", WhenBusy::Wait),
        ("{group: '${{ size([1, 2]) }}', when-busy: fail}", "2", WhenBusy::Fail),
        ("{group: a, when-busy: cancel-running}", "a", WhenBusy::CancelRunning),
    ] {
        let yaml = format!("env: {{STAGE: test}}\nconcurrency: {concurrency}\n{STEPS}");
        let plan = plan(&yaml, &plugins).unwrap();
        let found = plan.concurrency.as_ref().unwrap();
        assert_eq!((found.group.as_str(), found.when_busy), (group, when_busy), "{concurrency}");
        assert_eq!(plan.to_json()["concurrency"], json!({"group": group, "when-busy": when_busy.as_str()}));
    }
}

#[test]
fn a_group_that_is_no_name_is_refused() {
    let plugins = plugins([plugin("exec", &[])]);
    let told = |group: &str| {
        refuse(&format!("inputs: {{x: {{required: false}}}}\nconcurrency: \"{group}\"\n{STEPS}"), &plugins)
    };
    insta::assert_snapshot!(told("${{ [1] }}"), @r#"
    plan::group
    × the group of `concurrency` is a list
      2:14 `"${{ [1] }}"`: no name for a group
    "#);
    insta::assert_snapshot!(told("${{ '' }}"), @r#"
    plan::group
    × the group of `concurrency` is empty
      2:14 `"${{ '' }}"`: no name for a group
    "#);
}
