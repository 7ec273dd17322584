//! The built plugin in the real engine.

use sluice_sdk_testing::{FailureKind, Plugin};
use tempfile::TempDir;

fn plugin() -> Plugin {
    Plugin::build(env!("CARGO_MANIFEST_DIR"))
}

fn workspace() -> TempDir {
    let workspace = tempfile::tempdir().unwrap();
    std::fs::create_dir(workspace.path().join("ci")).unwrap();
    std::fs::write(workspace.path().join("ci/good.sh"), "#!/bin/sh\necho\n").unwrap();
    std::fs::write(workspace.path().join("bad.sh"), "echo\n").unwrap();
    workspace
}

#[test]
fn scripts_of_the_workspace_are_checked() {
    let workspace = workspace();
    let outcome = plugin().workspace(workspace.path()).run();

    outcome.expect_passed();
    let [finding] = outcome.findings.as_slice() else { panic!("{:?}", outcome.findings) };
    assert_eq!(finding.rule, "shell/shebang");
    assert_eq!(finding.span.as_ref().unwrap().path, "bad.sh");
    assert_eq!(outcome.outputs["scripts"], 2);
}

#[test]
fn inputs_choose_the_scripts() {
    let workspace = workspace();
    let outcome = plugin().inputs(serde_json::json!({"paths": ["ci/*.sh"]})).workspace(workspace.path()).run();

    outcome.expect_passed();
    assert_eq!(outcome.findings, []);
    assert_eq!(outcome.outputs["scripts"], 1);
}

#[test]
fn without_files_it_is_denied() {
    let workspace = workspace();
    let outcome = plugin().workspace(workspace.path()).deny("files").run();

    assert_eq!(outcome.expect_failure().kind, FailureKind::Denied);
}
