//! What a step may ask and say.

use serde_json::json;
use sluice_engine::{Code, Plugin};
use sluice_run::runner::Action;

use crate::guests;
use crate::harness::{Bench, call, command, digest, task};

#[tokio::test(flavor = "multi_thread")]
async fn files_are_listed_within_the_grant() {
    let bench = Bench::new();
    let list = |grants: &'static [&'static str]| bench.run(task("files", "**/*.txt", grants));
    assert_eq!(list(&["files: read ."]).await.text(), "passed\n> src/a.txt");
    assert_eq!(
        list(&[]).await.text(),
        "denied: plugin `task` returned an error: Failure::Denied(Explanation { message: \"the host denied listing \
         files\", help: Some(\"if the step should be allowed that too, add to its `grants`:\\n    files: [\\\"read \
         .\\\"]\") })\n| the host denied listing files\nhelp: if the step should be allowed that too, add to its \
         `grants`:\n    files: [\"read .\"]"
            .replace("\n| the host denied listing files", "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_are_checked_against_the_manifest() {
    let bench = Bench::new();
    for (with, expected) in [
        ("count=3", "passed\noutput count = 3"),
        (
            "count='three'",
            "the output `count` is not as the manifest declares: \\\"three\\\" is not of type \\\"integer\\\"",
        ),
        ("other=3", "the manifest declares no output `other`"),
        ("count=", "the output `count` is not JSON: EOF while parsing a value at line 1 column 0"),
    ] {
        let mut call = task("output", with, &[]);
        call.outputs_schema = Some(json!({ "type": "object", "properties": { "count": { "type": "integer" } } }));
        let text = bench.run(call).await.text();
        if expected.starts_with("passed") {
            assert_eq!(text, expected);
        } else {
            let wanted = format!(
                "failed: plugin `task` returned an error: Failure::InvalidInput(Explanation {{ message: \"{expected}\", \
                 help: None }})"
            );
            assert_eq!(text, wanted);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_leave_without_terminal_controls() {
    let bench = Bench::new();
    assert_eq!(bench.run(command(&["escape"], &[])).await.text(), "passed\n> text\n\\u{8}");
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_that_comes_too_fast_is_dropped() {
    let ran = Bench::new().run(task("flood-progress", "", &[])).await;
    assert!(ran.report.failure.is_none());
    assert!((1..1_000).contains(&ran.said.len()), "{}", ran.said.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_linked_with_what_its_manifest_declares() {
    // The same component, as if its manifest declared nothing.
    let bench = Bench::new();
    let mut renamed = guests::TASK.clone();
    renamed.extend([0, 2, 1, b'x']);
    let plugin =
        Plugin { digest: digest(&renamed), bytes: renamed.clone().into(), precompiled: None, declared: vec![] };
    bench.runner.add(plugin);
    let step = || call("task", &renamed, Action::Run(sluice_model::Kind::Task), json!({ "do": "nothing" }), &[]);
    let text = bench.run(step()).await.text();
    assert!(text.starts_with("load: the component imports something that it is not offered\n| "), "{text}");
    assert!(text.contains("sluice:host/"), "{text}");
    // Granted by the workflow, as for a command without a manifest.
    let mut granted = step();
    granted.grants = crate::harness::grants(&["exec: git", "secrets: TOKEN", "artifacts: read"]);
    assert_eq!(bench.run(granted).await.text(), "passed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_nobody_made_known_is_our_fault() {
    let bench = Bench::new();
    let ran = bench.run(call("ghost", b"ghost", Action::Command, json!({}), &[])).await;
    assert!(ran.text().starts_with("internal: plugin `ghost` (sha256:"), "{}", ran.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_is_not_exported_cannot_be_called() {
    let bench = Bench::new();
    let step = call("task", &guests::TASK, Action::Run(sluice_model::Kind::Lint), json!({}), &[]);
    let expected = "load: plugin `task` does not export `sluice:plugin/lint@1.0.0#lint`";
    assert_eq!(bench.run(step).await.text(), expected);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_compiled_ahead_of_time_runs_without_the_component() {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let code = sluice_engine_compile::precompile_for(&guests::COMMAND, &target).unwrap();
    let bench = Bench::new();
    // Bytes that are no component: if the code were refused, there would be nothing to compile.
    let digest = digest(b"ahead of time");
    bench.runner.add(Plugin {
        digest,
        bytes: b""[..].into(),
        precompiled: Some(Code::Owned(code.into())),
        declared: vec![],
    });
    let mut step = command(&["say", "ahead"], &[]);
    step.digest = digest;
    assert_eq!(bench.run(step.clone()).await.text(), "passed\n> ahead");

    // Code that does not fit is compiled anew from the component.
    let bench = Bench::new();
    let mut renamed = guests::COMMAND.clone();
    renamed.extend([0, 2, 1, b'y']);
    step.digest = crate::harness::digest(&renamed);
    let plugin = Plugin {
        digest: step.digest,
        bytes: renamed.into(),
        precompiled: Some(Code::Embedded(b"no code")),
        declared: vec![],
    };
    bench.runner.add(plugin);
    assert_eq!(bench.run(step).await.text(), "passed\n> ahead");
}
