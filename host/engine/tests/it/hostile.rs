//! Guests that misbehave: each is contained, the runner lives on, and a step beside it does not notice.

use std::time::Instant;

use serde_json::json;
use sluice_model::Limits;
use sluice_run::StepCall;
use sluice_run::runner::Action;

use crate::harness::{Bench, Ran, call, command, in_time, task};
use crate::{by_hand, server};

/// Runs a bad step beside a good one, then another good one.
async fn contain(bench: &Bench, bad: StepCall) -> Ran {
    let time = bad.limits.time_ms;
    let (ran, beside) = tokio::join!(in_time(time, bench.run(bad)), bench.run(task("nothing", "", &[])));
    assert_eq!(beside.text(), "passed", "a step beside it");
    assert_eq!(bench.run(command(&["say", "still here"], &[])).await.text(), "passed\n> still here");
    ran
}

fn tight(mut call: StepCall) -> StepCall {
    call.limits = Limits {
        time_ms: 500,
        memory_bytes: 64 << 20,
        table_elements: 1_000_000,
        handles: 1_000,
        disk_bytes: 1 << 20,
        output_bytes: 100_000,
    };
    call
}

/// A table of misdeeds and how each must end. What was said before the end varies, and a command that fails has its exit
/// code as an output, so both are left out.
async fn check(rows: Vec<(StepCall, &str)>) {
    for (call, expected) in rows {
        let bench = Bench::new();
        let inputs = call.inputs.to_string();
        let mut ran = contain(&bench, call).await;
        ran.said.clear();
        ran.report.outputs.clear();
        assert_eq!(without_line(&ran.text()), expected, "{inputs}");
    }
}

/// Leaves out where in the guest a panic stands.
fn without_line(text: &str) -> String {
    match text.split_once("main.rs:") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
            format!("{before}main.rs{after}")
        }
        None => text.to_owned(),
    }
}

const TOO_LONG: &str =
    "was ended after 500ms, the step's time limit\nhelp: if it needs longer, raise the step's `timeout`";

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_much_is_ended() {
    let limit = "help: if it needs more, raise the step's `limits`";
    let slow = |name: &str| format!("timed-out: plugin `{name}` {TOO_LONG}");
    let over = |name: &str, what: &str| format!("limit: plugin `{name}` was ended: {what}\n{limit}");
    let said = "it said more than 100000 bytes, the most that a step may say";
    let slow_command = slow("command");
    let over_said = over("command", said);
    let over_said_task = over("task", said);
    check(vec![
        (tight(command(&["spin"], &[])), &slow_command),
        (tight(command(&["sleep"], &[])), &slow_command),
        (tight(command(&["random"], &[])), &slow_command),
        (tight(command(&["memory"], &[])), &over("command", "it needed more than 67108864 bytes of memory")),
        (
            tight(call("tables", &by_hand::TABLES, Action::Command, json!({}), &[])),
            &over("tables", "it needed more than 1000000 table elements"),
        ),
        (tight(command(&["flood"], &[])), &over_said),
        (tight(command(&["flood-errors"], &[])), &over_said),
        (tight(task("flood-log", "", &[])), &over_said_task),
        (tight(task("flood-findings", "text", &[])), &over_said_task),
        (tight(task("handles", "git", &[])), &over("task", "it held too many open handles")),
        (
            tight(command(&["open-many", "src/a.txt"], &["files: read ."])),
            &over("command", "it held too many open handles"),
        ),
        (tight(task("exec", "yes", &["exec: yes"])), &over_said_task),
        (task("huge-string", "", &[]), &over("task", "it passed too much data to the host at once")),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_breaks_alone() {
    check(vec![
        (
            // What compilers keep in linear memory runs out before the stack does.
            command(&["recurse"], &[]),
            "trap: plugin `command` trapped\n| out of bounds memory access",
        ),
        (call("stack", &by_hand::STACK, Action::Command, json!({}), &[]), "trap: plugin `stack` recursed too deep"),
        (
            command(&["panic"], &[]),
            "trap: plugin `command` panicked\n| thread 'main' (1) panicked at command/src/main.rs\non purpose",
        ),
        (command(&["trap"], &[]), "trap: plugin `command` trapped\n| wasm `unreachable` instruction executed"),
        (command(&["exit", "7"], &[]), "failed: command `command` exited with an error"),
        (command(&["exit", "0"], &[]), "passed"),
        (task("fail", "it broke", &[]), "failed: plugin `task` returned an error: it broke"),
        (task("fail", "invalid no such thing", &[]), "invalid-input: plugin `task` returned an error: no such thing"),
        (task("fail", "transient busy", &[]), "transient: plugin `task` returned an error: busy\nretry after 1500 ms"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outside_the_grants_are_out_of_reach() {
    let failed = |why: &str| format!("failed: command `command` exited with an error\n| {why}");
    let no_such = failed("No such file or directory (os error 44)");
    let not_permitted = failed("Operation not permitted (os error 63)");
    let read = &["files: read src"][..];
    check(vec![
        (command(&["read", "src/a.txt"], read), "passed"),
        (command(&["read", "src/a.txt"], &["files: read ."]), "passed"),
        (command(&["read", "src/a.txt"], &[]), &no_such),
        (command(&["read", "/etc/passwd"], &["files: read ."]), &no_such),
        (command(&["read", "src/../../../outside.txt"], &["files: read ."]), &not_permitted),
        (command(&["read", "src/link.txt"], &["files: read ."]), &not_permitted),
        (command(&["list", "out"], &["files: read ."]), &not_permitted),
        (command(&["write", "src/b.txt", "x"], read), &not_permitted),
        (command(&["write", "src/b.txt", "x"], &["files: write src"]), "passed"),
        (command(&["write", "dist/new/b.txt", "x"], &["files: write dist/new"]), "passed"),
        (command(&["write", "src/b.txt", "x"], &["files: read .", "files: write dist"]), &not_permitted),
        (command(&["write", "dist/b.txt", "x"], &["files: read .", "files: write dist"]), "passed"),
        (
            command(&["link-out", "/etc/passwd", "src/evil"], &["files: write ."]),
            "denied: command `command` exited with an error\n| Operation not permitted (os error 63)\n| the host denied a symbolic link `src/evil` to `/etc/passwd`: it would lead out of the workspace",
        ),
        (
            command(&["list", "."], &["files: read out"]),
            "denied: the folder of the grant `read out` cannot be opened within the workspace\n| Invalid cross-device link (os error 18)",
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_in_the_workspace_hangs_nobody() {
    let bench = Bench::new();
    nix::unistd::mkfifo(&bench.workspace().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let started = Instant::now();
    let mut ran = contain(&bench, command(&["read", "pipe"], &["files: read ."])).await;
    ran.said.clear();
    ran.report.outputs.clear();
    assert_eq!(
        ran.text(),
        "denied: command `command` exited with an error\n| Operation not permitted (os error 63)\n| the host denied \
         opening `pipe`: it is a pipe, a socket or a device, not a file"
    );
    assert!(started.elapsed().as_secs() < 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_is_out_of_reach_but_by_http() {
    let address = server::start().to_string();
    for (arguments, end) in [
        (["tcp", &address], "denied"),
        (["udp", &address], "failed"),
        (["listen", "127.0.0.1:0"], "denied"),
        (["dns", "localhost"], "denied"),
    ] {
        let bench = Bench::new();
        let grant = format!("http: * http://{address}");
        let ran = contain(&bench, tight(command(&arguments, &[&grant]))).await;
        let text = ran.text();
        assert!(text.starts_with(&format!("{end}: command `command` exited with an error\n")), "{arguments:?}: {text}");
    }
}
