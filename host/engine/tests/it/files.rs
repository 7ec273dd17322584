//! What the host keeps a step from doing within the folders that it was given.

use std::fs;
use std::os::unix::fs::symlink;

use sluice_model::PluginRef;
use sluice_run::StepCall;

use crate::harness::{Bench, command};

const WRITE: &[&str] = &["files: write ."];

/// A workspace with all that is protected, and ways around it.
fn bench() -> Bench {
    let bench = Bench::new();
    let workspace = bench.workspace();
    for folder in [".git/hooks", ".sluice/runs"] {
        fs::create_dir_all(workspace.join(folder)).unwrap();
    }
    for file in ["sluice.lock", "sluice-policy.yaml", ".git/config", ".git/hooks/pre-push", ".git/index"] {
        fs::write(workspace.join(file), "as it was\n").unwrap();
    }
    symlink("../.git/hooks", workspace.join("src/innocent")).unwrap();
    symlink("../sluice.lock", workspace.join("src/lock")).unwrap();
    symlink("../.git/hooks/new", workspace.join("src/dangling")).unwrap();
    bench
}

fn denied(what: &str, protected: &str) -> String {
    format!(
        "denied: command `command` exited with an error\n| Operation not permitted (os error 63)\n| the host denied {what}: \
         `{protected}` decides what runs outside of this step, and is granted only by its name\nhelp: if the step should be allowed that too, add to its `grants`:\n    files: [\"write {protected}\"]"
    )
}

async fn text(bench: &Bench, call: StepCall) -> String {
    let mut ran = bench.run(call).await;
    ran.said.clear();
    ran.report.outputs.clear();
    ran.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_decides_over_others_is_changed_only_if_it_is_granted_by_name() {
    for (arguments, what, protected) in [
        (&["write", ".git/hooks/pre-commit", "x"][..], "changing `.git/hooks/pre-commit`", ".git/hooks"),
        (&["write", ".git/hooks/pre-push", "x"], "changing `.git/hooks/pre-push`", ".git/hooks"),
        (&["write", "src/../.git/./hooks/new", "x"], "changing `.git/hooks/new`", ".git/hooks"),
        (&["write", "src/innocent/pre-commit", "x"], "changing `.git/hooks/pre-commit`", ".git/hooks"),
        (&["write", "src/dangling", "x"], "changing `.git/hooks/new`", ".git/hooks"),
        (&["write", "src/lock", "x"], "changing `sluice.lock`", "sluice.lock"),
        (&["write", "sluice-policy.yaml", "x"], "changing `sluice-policy.yaml`", "sluice-policy.yaml"),
        (&["write", ".git/config", "x"], "changing `.git/config`", ".git/config"),
        (&["remove", "sluice.lock"], "changing `sluice.lock`", "sluice.lock"),
        (&["rename", "src/a.txt", "sluice.lock"], "changing `sluice.lock`", "sluice.lock"),
        (&["rename", "sluice.lock", "src/mine"], "changing `sluice.lock`", "sluice.lock"),
        (&["rename", ".git", "src/mine"], "changing `.git`", ".git/config"),
        (&["hard-link", "sluice.lock", "src/mine"], "changing `sluice.lock`", "sluice.lock"),
        (&["hard-link", "src/a.txt", ".git/hooks/pre-commit"], "changing `.git/hooks/pre-commit`", ".git/hooks"),
        (&["symlink", "../src", ".sluice/runs"], "changing `.sluice/runs`", ".sluice"),
        (&["make-folder", ".sluice/runs/forged"], "changing `.sluice/runs/forged`", ".sluice"),
    ] {
        let bench = bench();
        assert_eq!(text(&bench, command(arguments, WRITE)).await, denied(what, protected), "{arguments:?}");
        let workspace = bench.workspace();
        for file in ["sluice.lock", "sluice-policy.yaml", ".git/config", ".git/hooks/pre-push"] {
            assert_eq!(fs::read_to_string(workspace.join(file)).unwrap(), "as it was\n", "{arguments:?}");
        }
        assert!(!workspace.join(".git/hooks/pre-commit").exists());
        assert!(!workspace.join(".git/hooks/new").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_by_name_and_what_is_not_protected_is_changed() {
    for (arguments, grants) in [
        (&["write", ".git/hooks/pre-commit", "x"][..], &["files: write .", "files: write .git/hooks"][..]),
        (&["write", ".git/hooks/pre-commit", "x"], &["files: write .git/hooks"]),
        (&["write", ".git/index", "x"], WRITE),
        (&["write", "src/a.txt", "x"], WRITE),
        (&["read", "sluice.lock"], WRITE),
        (&["rename", "src/a.txt", "src/b.txt"], WRITE),
        (&["hard-link", "src/a.txt", "src/b.txt"], WRITE),
        (&["symlink", "a.txt", "src/b.txt"], WRITE),
        (&["symlink", "../src", "src/b"], WRITE),
        (&["remove", "src/a.txt"], WRITE),
    ] {
        assert_eq!(text(&bench(), command(arguments, grants)).await, "passed", "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_is_made_that_leads_out() {
    for target in ["../../outside.txt", "../../../etc/passwd"] {
        let bench = Bench::new();
        let told = text(&bench, command(&["symlink", target, "src/evil"], WRITE)).await;
        assert_eq!(
            told,
            format!(
                "denied: command `command` exited with an error\n| Operation not permitted (os error 63)\n| the host \
                 denied a symbolic link `src/evil` to `{target}`: it would lead out of the workspace"
            )
        );
        assert!(bench.workspace().join("src/evil").symlink_metadata().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_name_outside_is_not_for_plugins_from_outside() {
    let bench = Bench::new();
    let workspace = bench.workspace();
    fs::hard_link(bench.folder.path().join("outside.txt"), workspace.join("src/borrowed.txt")).unwrap();
    fs::hard_link(workspace.join("src/a.txt"), workspace.join("src/twin.txt")).unwrap();
    let from = |plugin: PluginRef, file: &str| StepCall { plugin, ..command(&["read", file], &["files: read ."]) };
    let outside = || PluginRef::Path("./command.wasm".to_owned());
    let ours = || PluginRef::Builtin("command".to_owned());
    assert_eq!(
        text(&bench, from(outside(), "src/borrowed.txt")).await,
        "denied: command `./command.wasm` exited with an error\n| Operation not permitted (os error 63)\n| the host denied \
         opening `src/borrowed.txt`: the file has a name outside of the workspace too"
    );
    assert_eq!(text(&bench, from(outside(), "src/twin.txt")).await, "passed", "both names are inside");
    assert_eq!(text(&bench, from(ours(), "src/borrowed.txt")).await, "passed", "a plugin of ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_is_not_filled() {
    let limited = |arguments: &[&str], limit: u64| {
        let mut call = command(arguments, WRITE);
        call.limits.disk_bytes = limit;
        call
    };
    let over = "limit: plugin `command` was ended: it wrote more than 1048576 bytes to files\nhelp: if it needs more, \
                raise the step's `limits`";
    let bench = Bench::new();
    assert_eq!(text(&bench, limited(&["fill", "big", "1000"], 1 << 20)).await, over);
    assert!(fs::metadata(bench.workspace().join("big")).unwrap().len() <= 1 << 20);
    assert_eq!(text(&bench, limited(&["sparse", "big", "1048577"], 1 << 20)).await, over);
    assert_eq!(text(&bench, limited(&["fill", "big", "16"], 1 << 20)).await, "passed");
    assert_eq!(text(&bench, limited(&["sparse", "new", "1048576"], 1 << 20)).await, "passed");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_depths_without_end_end() {
    let bench = Bench::new();
    let told = text(&bench, command(&["long-name"], WRITE)).await;
    assert!(told.starts_with("failed: command `command` exited with an error\n| "), "{told}");
    let told = text(&bench, command(&["dig", "d", "1000"], WRITE)).await;
    assert!(
        told.starts_with("passed") || told.starts_with("failed: command `command` exited with an error\n| "),
        "{told}"
    );
    // What cleans up afterwards survives the depth.
    fs::remove_dir_all(bench.workspace()).unwrap();
}
