//! `git.changed`, `git.base`, `paths` and `--affected`, in real repositories.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::environment::{Environment, Ran};
use crate::repository::{commit, git};

const WORKFLOW: &str = r#"
jobs:
  docs:
    paths: ["docs/", "*.md"]
    steps:
      - run: echo docs
  code:
    paths: ["src/**", "!**/*.md"]
    steps:
      - run: echo code
  all:
    needs: [docs, code]
    steps:
      - run: echo all
        env: {CHANGED: "${{ git.changed.join('|') }}", BASE: "${{ git.base == null ? 'none' : git.base }}"}
"#;

/// A repository on the branch `main`, with one commit.
fn repository() -> Environment {
    let environment = Environment::new();
    git(&environment, &["init", "--quiet", "--initial-branch", "main"]);
    environment.write("sluice.yaml", WORKFLOW).write("docs/a.txt", "a").write("src/a.rs", "a").write("src/b.rs", "b");
    commit(&environment);
    environment
}

/// A repository on a branch of its own.
fn branch() -> Environment {
    let environment = repository();
    git(&environment, &["switch", "--quiet", "-c", "feature"]);
    environment
}

/// What `git.changed` and `git.base` are.
#[track_caller]
fn changed(environment: &Environment, arguments: &[&str]) -> (Vec<String>, String) {
    let ran = environment.sluice(&[&["plan", "--json"], arguments].concat()).exits_with(0);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let env = &plan["jobs"]["all"]["steps"][0]["env"];
    let files = env["CHANGED"].as_str().unwrap().split('|').filter(|file| !file.is_empty());
    (files.map(str::to_owned).collect(), env["BASE"].as_str().unwrap().to_owned())
}

/// Job -> how it ended.
fn outcomes(ran: &Ran) -> Value {
    let events = ran.events();
    let finished = events.iter().filter(|event| event["event"] == "job-finished");
    finished.map(|event| (event["job"].as_str().unwrap().to_owned(), event["outcome"].clone())).collect()
}

#[track_caller]
fn affected(environment: &Environment, arguments: &[&str]) -> Value {
    outcomes(&environment.sluice(&[&["run", "--json", "--affected"], arguments].concat()).exits_with(0))
}

#[test]
fn changes_are_committed_staged_unstaged_and_untracked() {
    let environment = branch();
    assert_eq!(changed(&environment, &["--base", "main"]), (vec![], "main".to_owned()));
    environment.write("src/new.rs", "committed");
    commit(&environment);
    environment.write("docs/staged.txt", "staged");
    git(&environment, &["add", "docs/staged.txt"]);
    environment.write("src/a.rs", "unstaged").write("deep/er/un tracked", "");
    environment.write(".gitignore", "*.log\n").write("ignored.log", "");
    fs::remove_file(environment.workspace().join("docs/a.txt")).unwrap();
    git(&environment, &["mv", "src/b.rs", "src/c.rs"]);
    let expected = [
        ".gitignore",
        "deep/er/un tracked",
        "docs/a.txt",
        "docs/staged.txt",
        "src/a.rs",
        "src/b.rs",
        "src/c.rs",
        "src/new.rs",
    ];
    assert_eq!(changed(&environment, &["--base", "main"]), (expected.map(str::to_owned).to_vec(), "main".to_owned()));
}

#[test]
fn what_the_base_has_since_is_no_change() {
    let environment = branch();
    environment.write("docs/mine.txt", "");
    commit(&environment);
    git(&environment, &["switch", "--quiet", "main"]);
    environment.write("src/theirs.rs", "");
    commit(&environment);
    git(&environment, &["switch", "--quiet", "feature"]);
    assert_eq!(changed(&environment, &["--base", "main"]).0, ["docs/mine.txt"]);
}

#[test]
fn odd_names_are_whole() {
    let environment = branch();
    for name in ["a \"b\"", "ü ö", "new\nline", "-dash", "*star", "tab\t"] {
        environment.write(&format!("docs/{name}"), "");
    }
    let (files, _) = changed(&environment, &["--base", "main"]);
    assert_eq!(files, ["docs/*star", "docs/-dash", "docs/a \"b\"", "docs/new\nline", "docs/tab\t", "docs/ü ö"]);
}

#[test]
fn only_affected_jobs_run() {
    let environment = branch();
    environment.write("docs/b.txt", "");
    commit(&environment);
    let ran = environment.sluice(&["run", "--json", "--affected", "--base", "main"]).exits_with(0);
    assert_eq!(outcomes(&ran), json!({"docs": "passed", "code": "skipped", "all": "passed"}));
    let finished = ran.events().into_iter().find(|event| event["event"] == "run-finished").unwrap();
    assert_eq!(finished["outcome"], "passed", "a job that nothing concerns is no failure");

    environment.write("src/notes.md", "");
    assert_eq!(
        affected(&environment, &["--base", "HEAD"]),
        json!({"docs": "skipped", "code": "skipped", "all": "passed"}),
        "`!` takes away"
    );
    let all = environment.sluice(&["run", "--json", "--base", "main"]).exits_with(0);
    assert_eq!(outcomes(&all), json!({"docs": "passed", "code": "passed", "all": "passed"}), "without --affected");
    insta::assert_snapshot!(
        "plan_affected",
        environment.sluice(&["plan", "--affected", "--base", "main"]).exits_with(0).whole()
    );
}

#[test]
fn the_base_is_what_ci_or_the_upstream_or_origin_names() {
    let origin = repository();
    let mut clone = Environment::new();
    let url = format!("file://{}", origin.workspace().display());
    git(&clone, &["clone", "--quiet", &url, "."]);
    git(&clone, &["switch", "--quiet", "-c", "feature", "--no-track"]);
    clone.write("docs/b.txt", "");
    commit(&clone);
    let one = vec!["docs/b.txt".to_owned()];
    assert_eq!(changed(&clone, &[]), (one.clone(), "origin/main".to_owned()), "origin/HEAD");

    git(&clone, &["push", "--quiet", "origin", "HEAD:other"]);
    git(&clone, &["branch", "--quiet", "--set-upstream-to", "origin/other"]);
    assert_eq!(changed(&clone, &[]), (vec![], "origin/other".to_owned()), "the upstream");
    assert_eq!(changed(&clone, &["--base", "origin/main"]).0, one);

    clone.variable("GITHUB_BASE_REF", "main");
    assert_eq!(changed(&clone, &[]), (one.clone(), "origin/main".to_owned()), "a pull request");

    clone.variable("GITHUB_BASE_REF", "release");
    let (files, base) = changed(&clone, &[]);
    assert_eq!((files.len(), base.as_str()), (5, "none"), "a base that is not here hides nothing: {files:?}");
    let ran = clone.sluice(&["run", "--plain", "--affected"]).exits_with(0);
    assert!(
        ran.stderr.contains(
            "note: `origin/release`, which GITHUB_BASE_REF names, is not in this clone; every file counts as changed"
        ),
        "{}",
        ran.whole()
    );
    clone.variable("GITHUB_BASE_REF", "").variable("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main");
    assert_eq!(changed(&clone, &[]).0, one);
}

#[test]
fn a_shallow_clone_compares_what_it_has() {
    let origin = branch();
    origin.write("docs/b.txt", "");
    commit(&origin);
    let clone = Environment::new();
    let url = format!("file://{}", origin.workspace().display());
    git(&clone, &["clone", "--quiet", "--depth=1", "--branch=feature", &url, "."]);
    git(&clone, &["fetch", "--quiet", "--depth=1", "origin", "main:refs/remotes/origin/main"]);
    assert_eq!(changed(&clone, &["--base", "origin/main"]).0, ["docs/b.txt"]);
    let ran = clone.sluice(&["plan", "--affected", "--base", "origin/main"]).exits_with(0);
    assert!(
        ran.stderr.starts_with("note: this clone has no commit that `origin/main` and HEAD have in common"),
        "{}",
        ran.stderr
    );
}

#[test]
fn without_a_base_every_file_counts() {
    let every = json!({"docs": "passed", "code": "passed", "all": "passed"});
    let environment = Environment::new();
    environment.write("sluice.yaml", WORKFLOW).write("README.md", "");
    assert_eq!(affected(&environment, &[]), every, "not a repository");
    assert_eq!(changed(&environment, &[]).0, ["README.md", "sluice.yaml"]);
    git(&environment, &["init", "--quiet"]);
    assert_eq!(affected(&environment, &[]), every, "no commits yet");
    assert_eq!(changed(&environment, &[]).1, "none");
    assert_eq!(affected(&repository(), &[]), every, "no remote");
}

#[test]
fn a_base_that_is_none_is_refused() {
    let environment = repository();
    for base in ["nope", "--output=x", "", "main:src", "main..HEAD"] {
        let ran = environment.sluice(&["run", "--affected", &format!("--base={base}")]).exits_with(2);
        assert!(ran.stderr.contains(&format!("there is nothing to compare with at `{base}`")), "{}", ran.stderr);
    }
    let outside = Environment::new();
    outside.write("sluice.yaml", WORKFLOW);
    let ran = outside.sluice(&["plan", "--base", "main"]).exits_with(2);
    assert!(ran.stderr.contains("the workspace is in no git repository"), "{}", ran.stderr);
}

#[test]
fn files_are_named_from_the_workspace() {
    let environment = branch();
    environment.write("part/sluice.yaml", WORKFLOW).write("part/docs/x.txt", "").write("src/outside.rs", "");
    let ran = environment.sluice(&["-C", "part", "plan", "--json", "--base", "main"]).exits_with(0);
    assert!(ran.stdout.contains("\"docs/x.txt|sluice.yaml\""), "{}", ran.stdout);
}

/// A step that may write files could have planted any of this.
#[test]
fn a_hostile_repository_runs_nothing() {
    let mut environment = branch();
    let canary = environment.workspace().join("canary");
    let script = |path: &Path| {
        fs::write(path, format!("#!/bin/sh\ntouch '{}'\ncat\n", canary.display())).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let evil = environment.workspace().join("evil.sh");
    script(&evil);
    for name in ["git", "git-log", "sh"] {
        script(&environment.workspace().join(name));
    }
    let evil = evil.to_str().unwrap();
    for (key, value) in [
        ("core.fsmonitor", evil),
        ("core.pager", evil),
        ("core.editor", evil),
        ("core.sshCommand", evil),
        ("gpg.program", evil),
        ("log.showSignature", "true"),
        ("diff.external", evil),
        ("diff.evil.textconv", evil),
        ("diff.evil.command", evil),
        ("filter.evil.clean", evil),
        ("filter.evil.process", evil),
        ("filter.evil.required", "true"),
        ("filter.o.d=d.clean", evil),
        ("interactive.diffFilter", evil),
        ("credential.helper", evil),
        ("pager.log", evil),
        ("pager.diff", evil),
        ("alias.log", &format!("!{evil}")),
    ] {
        git(&environment, &["config", key, value]);
    }
    environment.write(".git/info/attributes", "*.rs filter=evil diff=evil\n*.txt filter=o.d=d\n");
    for hook in ["post-index-change", "fsmonitor-watchman", "reference-transaction"] {
        fs::create_dir_all(environment.workspace().join(".git/hooks")).unwrap();
        script(&environment.workspace().join(".git/hooks").join(hook));
    }
    // Contents must be compared, because sizes and times tell nothing.
    environment.write("src/a.rs", "b").write("docs/a.txt", "b");
    let path = std::env::var("PATH").unwrap();
    environment.variable("PATH", &format!(".:{}:{path}", environment.workspace().display()));
    let (files, _) = changed(&environment, &["--base", "main"]);
    assert!(files.contains(&"src/a.rs".to_owned()) && files.contains(&"docs/a.txt".to_owned()), "{files:?}");
    environment.write(
        "sluice.yaml",
        "steps:\n- run: echo\n  env: {A: \"${{ git.sha }} ${{ git.dirty }} ${{ git.tag }} ${{ git.changed.size() }}\"}\n",
    );
    environment.sluice(&["plan"]).exits_with(0);
    assert!(!canary.exists(), "git ran something that the repository named");
    // It fails, because the filter speaks no protocol.
    let _ = Command::new("git").arg("-C").arg(environment.workspace()).args(["status", "--porcelain"]).output();
    assert!(canary.exists(), "the trap works: plain git does run it");
}

#[test]
fn file_hashes_follow_the_files() {
    let environment = Environment::new();
    environment.write("sluice.yaml", "steps:\n- run: echo\n  env: {A: \"${{ hash.files('src/**', '!**/*.md') }}\"}\n");
    environment.write(".gitignore", "*.o\n").write("src/a", "a");
    let hash = || {
        let ran = environment.command(&["plan", "--json"]).output().unwrap();
        let plan: Value = serde_json::from_slice(&ran.stdout).unwrap();
        plan["jobs"]["main"]["steps"][0]["env"]["A"].as_str().unwrap().to_owned()
    };
    let first = hash();
    environment.write("src/a.o", "ignored").write("src/a.md", "taken away").write("b", "elsewhere");
    assert_eq!(hash(), first);
    environment.write("src/b", "");
    assert_ne!(hash(), first);
    assert_eq!(first.len(), 64);
    let empty = Environment::new();
    empty.write("sluice.yaml", "steps:\n- run: echo [${{ hash.files('none/**') }}]\n");
    assert!(empty.sluice(&["plan"]).exits_with(0).stdout.contains("echo []"), "empty without a file");
}
