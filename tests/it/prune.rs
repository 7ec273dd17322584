//! Old records go when they should, and no others.

use std::fs;

use crate::environment::Environment;

fn runs(environment: &Environment) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(environment.workspace().join(".sluice/runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Files that the artifact store holds.
fn artifacts(environment: &Environment) -> usize {
    fs::read_dir(environment.workspace().join(".sluice/artifacts/sha256")).map_or(0, |entries| entries.count())
}

fn building() -> Environment {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "name: packing\ninputs: {text: {default: a}}\njobs:\n  pack:\n    steps:\n      - run: mkdir -p src; echo ${{ inputs.text }} > src/a.txt\n      - {uses: build, with: {files: [src/a.txt], name: app}}\n",
    );
    environment
}

#[test]
fn records_and_their_artifacts_are_pruned() {
    let environment = building();
    for text in ["a", "b", "b"] {
        environment.sluice(&["run", "-i", &format!("text={text}")]).exits_with(0);
    }
    let all = runs(&environment);
    assert_eq!((all.len(), artifacts(&environment)), (3, 4), "two artifacts, each with its description");
    let pretended = environment.sluice(&["runs", "prune", "--runs", "2", "--dry-run"]).exits_with(0).stdout;
    assert_eq!((runs(&environment), artifacts(&environment)), (all.clone(), 4), "{pretended}");
    let pruned = environment.sluice(&["runs", "prune", "--runs", "2"]).exits_with(0).stdout;
    assert_eq!(pruned, pretended.replace("would remove", "removed"));
    assert!(pruned.contains("1 run, 1 artifact"), "{pruned}");
    assert_eq!((runs(&environment), artifacts(&environment)), (all[1..].to_vec(), 2));

    environment.sluice(&["runs", "prune", "--runs", "0", "--workflow", "other"]).exits_with(0);
    assert_eq!(runs(&environment).len(), 2);
    environment.sluice(&["runs", "prune", "--runs", "0", "--workflow", "packing"]).exits_with(0);
    assert_eq!((runs(&environment).len(), artifacts(&environment)), (0, 0));
    let nothing = environment.sluice(&["runs", "prune", "--days", "0"]).exits_with(0).stdout;
    assert_eq!(nothing, "removed 0 runs, 0 artifacts: 0 B\n");
    environment.sluice(&["runs", "prune"]).exits_with(2);
}

#[test]
fn retention_spares_runs_that_are_under_way() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "name: waiting\nretention: {runs: 1}\ninputs: {wait: {default: 'false'}}\nsteps:\n  - run: touch started-${{ inputs.wait }}; while ${{ inputs.wait }} && [ ! -e go ]; do sleep 0.02; done\n",
    );
    environment.sluice(&["run"]).exits_with(0);
    let mut waiting =
        environment.command(&["run", "-i", "wait=true"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    while !environment.workspace().join("started-true").exists() {
        assert!(waiting.try_wait().unwrap().is_none(), "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for _ in 0..3 {
        let ran = environment.sluice(&["run"]).exits_with(0);
        assert_eq!(ran.stderr, "", "retention is quiet");
    }
    let list = environment.sluice(&["runs", "list"]).exits_with(0).stdout;
    assert_eq!(list.matches("running").count(), 1, "{list}");
    assert_eq!(runs(&environment).len(), 2, "{list}");
    environment.write("go", "");
    assert!(waiting.wait().unwrap().success());
    assert_eq!(runs(&environment).len(), 1, "the newest that has ended");
}
