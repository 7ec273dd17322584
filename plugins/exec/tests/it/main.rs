//! The built plugin in the real engine, running real programs.

use serde_json::json;
use sluice_sdk_testing::{Call, End, FailureKind, Outcome, Plugin};

fn exec(inputs: serde_json::Value) -> Call {
    Plugin::build(env!("CARGO_MANIFEST_DIR")).inputs(inputs)
}

fn outputs(outcome: &Outcome) -> [&serde_json::Value; 3] {
    ["exit-code", "stdout", "stderr"].map(|name| &outcome.outputs[name])
}

#[test]
fn a_script_runs_in_the_shell_and_nothing_else_is_granted() {
    let outcome =
        exec(json!({"run": "echo \"$1 of $WHO\"; echo no >&2", "args": ["one two"], "env": {"WHO": "ada"}})).run();

    outcome.expect_passed();
    assert_eq!(outcome.grants, ["files: write .", "exec: sh"]);
    assert_eq!(outputs(&outcome), [&json!(0), &json!("one two of ada"), &json!("no")]);
    assert!(outcome.log_text().contains("one two of ada"), "{:?}", outcome.logs);
}

#[test]
fn a_program_gets_its_arguments_as_they_are() {
    let outcome = exec(json!({"program": "printf", "args": ["%s|", "$HOME", "a b", "`x`"]})).run();

    outcome.expect_passed();
    assert_eq!(outcome.grants, ["files: write .", "exec: printf"]);
    assert_eq!(outputs(&outcome), [&json!(0), &json!("$HOME|a b|`x`|"), &json!("")]);
}

#[test]
fn standard_input_and_directory_are_the_programs() {
    let workspace = std::env::temp_dir().join(format!("sluice-exec-{}", std::process::id()));
    std::fs::create_dir_all(workspace.join("inner")).unwrap();
    let call = exec(json!({"run": "cat; pwd", "stdin": "given\n", "directory": "inner"}));
    let outcome = call.workspace(&workspace).run();
    std::fs::remove_dir_all(&workspace).unwrap();

    outcome.expect_passed();
    let stdout = outcome.outputs["stdout"].as_str().unwrap();
    assert!(stdout.starts_with("given\n/") && stdout.ends_with("/inner"), "{stdout}");
}

#[test]
fn the_first_command_that_fails_ends_the_script_and_outputs_are_there() {
    let outcome = exec(json!({"run": "echo before; (exit 3); echo after"})).run();

    let failure = outcome.expect_failure();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(failure.message.contains("the `sh` script exited with code 3"), "{}", failure.message);
    assert_eq!(outputs(&outcome), [&json!(3), &json!("before"), &json!("")]);
}

#[test]
fn a_pipe_fails_with_any_of_its_commands_in_bash() {
    assert!(exec(json!({"run": "false | true"})).run().result.is_ok());
    let outcome = exec(json!({"run": "false | true", "shell": "bash"})).run();
    assert!(outcome.expect_failure().message.contains("the `bash` script exited with code 1"));
}

#[test]
fn other_exit_codes_can_be_allowed() {
    let outcome = exec(json!({"run": "exit 2", "allow-exit-codes": [0, 2]})).run();
    outcome.expect_passed();
    assert_eq!(outcome.outputs["exit-code"], 2);
}

#[test]
fn a_secret_reaches_the_program_and_no_log() {
    let inputs = json!({
        "run": "test \"$TOKEN\" = correct-horse-battery && echo \"it is $TOKEN\"",
        "secret-env": {"TOKEN": "DEPLOY_TOKEN"},
    });
    let outcome = exec(inputs).secret("DEPLOY_TOKEN", "correct-horse-battery").run();

    outcome.expect_passed();
    assert_eq!(outcome.grants, ["files: write .", "exec: sh", "secrets: DEPLOY_TOKEN"]);
    let said = format!("{:?} {:?}", outcome.logs, outcome.outputs);
    assert!(said.contains("it is ") && !said.contains("correct-horse-battery"), "{said}");
}

#[test]
fn what_the_workflow_does_not_grant_does_not_run() {
    let outcome = exec(json!({"run": "echo ran"})).deny("exec").run();

    assert_eq!(outcome.expect_failure().kind, FailureKind::Denied);
    assert!(!outcome.log_text().contains("ran"), "{:?}", outcome.logs);
}

#[test]
fn nothing_to_run_is_an_invalid_input() {
    let outcome = exec(json!({})).run();
    let failure = outcome.expect_failure();
    assert_eq!(failure.kind, FailureKind::InvalidInput);
    assert!(failure.message.contains("nothing to run"), "{}", failure.message);
}

#[test]
fn an_input_of_another_type_is_refused_before_anything_runs() {
    let outcome = exec(json!({"run": "true", "args": "x"})).run();
    let Err(End::Refused(problems)) = &outcome.result else { panic!("{:?}", outcome.result) };
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains("`args`"), "{problems:?}");
}
