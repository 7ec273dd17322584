//! Records in folders that cannot be written.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;

use super::namespace::{Namespace, is_root};
use crate::environment::{Environment, Ran, binary};

/// One run that passed, and a later one that was killed after its first step.
fn recorded() -> Environment {
    let environment = Environment::new();
    let steps = "  - run: echo one >> log\n  - run: test -e go || sleep 60\n  - run: echo three >> log\n";
    environment.write("sluice.yaml", format!("retention: {{runs: 1}}\nsteps:\n{steps}")).write("go", "");
    environment.sluice(&["run"]).exits_with(0);
    fs::remove_file(environment.workspace().join("go")).unwrap();
    let mut child = super::start(&environment);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.find(|line| line.contains("step-finished"));
    assert!(first.is_some(), "it ended early");
    // What is on record when the next step has begun.
    lines.find(|line| line.contains("step-started")).unwrap();
    let recorded = || super::recorded(&environment).iter().any(|event| event["event"] == "step-finished");
    while !recorded() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    super::nothing_survives(&environment.workspace(), "killed");
    environment.write("go", "").write("log", "");
    environment
}

fn refuses_and_stays(environment: &Environment, sluice: impl Fn(&[&str]) -> Ran) {
    let ran = sluice(&["run"]);
    assert_eq!(ran.code, 0, "{}", ran.whole());
    assert!(ran.unwrapped().contains("the record of this run is incomplete"), "{}", ran.whole());
    assert_eq!(environment.read("log"), "one\nthree\n");
    let list = sluice(&["runs", "list"]).exits_with(0);
    let told = ["passed", "interrupted"].map(|word| list.stdout.matches(word).count());
    assert_eq!(told, [1, 1], "{}", list.whole());
    let shown = sluice(&["runs", "show"]).exits_with(0);
    assert!(shown.stdout.contains("was interrupted"), "{}", shown.whole());
    let resumed = sluice(&["resume"]).exits_with(2);
    assert!(resumed.stderr.contains("host::record"), "{}", resumed.whole());
    assert_eq!(environment.read("log"), "one\nthree\n", "nothing ran");
    let pruned = sluice(&["runs", "prune", "--runs", "0"]).exits_with(2);
    assert!(pruned.stdout.contains("removed 0 runs"), "{}", pruned.whole());
    assert!(pruned.unwrapped().contains("could not remove"), "{}", pruned.whole());
}

/// Once it can be written again, all is as it was.
fn goes_on(environment: &Environment) {
    environment.write("log", "");
    environment.sluice(&["resume"]).exits_with(0);
    assert_eq!(environment.read("log"), "three\n");
}

#[test]
fn a_read_only_file_system_changes_no_verdict() {
    let environment = recorded();
    let mounts = "mount --bind .sluice .sluice\nmount -o remount,bind,ro .sluice";
    let Some(namespace) = Namespace::new(&environment, mounts) else { return };
    refuses_and_stays(&environment, |arguments| namespace.sluice(arguments));
    goes_on(&environment);
}

/// The administrator may write everywhere, so somebody else runs it.
#[test]
fn folders_of_somebody_else_change_no_verdict() {
    let environment = recorded();
    let root = environment.workspace().parent().unwrap().to_owned();
    let change = |modes: &str, folder: &Path| {
        assert!(Command::new("chmod").args(["-R", modes]).arg(folder).status().unwrap().success());
    };
    change("a+rwX", &root);
    change("a-w", &environment.workspace().join(".sluice"));
    // Not everybody may reach where it was built.
    let program = root.join("sluice");
    fs::copy(binary(), &program).unwrap();
    refuses_and_stays(&environment, |arguments| {
        let inner = environment.command(arguments);
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&program);
        let mut command = if is_root() { command } else { Command::new(&program) };
        command.args(inner.get_args()).current_dir(environment.workspace()).stdin(std::process::Stdio::null());
        command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Ran::of(command.output().unwrap())
    });
    change("u+w", &root);
    goes_on(&environment);
}
