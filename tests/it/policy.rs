//! Policies: what they refuse and what they permit, layer by layer, before a run and after it.

use std::fs;
use std::os::unix::fs::symlink;

use crate::environment::{Environment, Ran, guest, repository};

/// Capability, a grant of a step, a policy that refuses it, its twin that permits it.
const CAPABILITIES: &[(&str, &str, &str, &str)] = &[
    ("files", "write dist", "grants: {files: [read ., write target]}", "grants: {files: [write dist]}"),
    (
        "http",
        "GET https://api.example.com/v1/x",
        "grants: {http: [\"GET https://api.example.com/v2/*\"]}",
        "grants: {http: [\"* https://*.EXAMPLE.com/*\"]}",
    ),
    ("tcp", "db.example.com:5432", "grants: {tcp: [\"db.example.com:80\"]}", "grants: {tcp: [\"db.example.com.:*\"]}"),
    ("exec", "curl", "grants: {exec: [git, make]}", "grants: {exec: [curl]}"),
    ("env", "AWS_KEY", "grants: {env: [\"CI_*\"]}", "grants: {env: [\"AWS_*\"]}"),
    ("secrets", "DEPLOY_KEY", "grants: {secrets: []}", "grants: {secrets: [\"DEPLOY_*\"]}"),
    ("artifacts", "write", "grants: {artifacts: [read]}", "grants: {artifacts: [write]}"),
    ("exec", "git", "exec: false", "exec: true"),
    ("exec", "bash", "shells: false", "shells: true"),
    ("http", "GET https://corp.example/* private", "private-networks: false", "private-networks: true"),
    ("tcp", "127.0.0.1:80", "private-networks: false", "grants: {tcp: [\"127.0.0.1:*\"]}"),
];

/// A workflow with one step that is granted one thing.
fn granted(capability: &str, grant: &str) -> Environment {
    let environment = Environment::new();
    environment.write("tool.wasm", guest("greet.wasm"));
    let step = format!("- id: tool\n  uses: ./tool.wasm\n  grants: {{{capability}: [\"{grant}\"]}}\n");
    environment.write("sluice.yaml", format!("steps:\n{step}"));
    environment
}

fn permit(environment: &Environment, policy: &str) {
    environment.write("sluice-policy.yaml", format!("version: 1\n{policy}\n"));
}

#[test]
fn every_capability_is_refused_and_permitted() {
    let mut refused = String::new();
    for (capability, grant, refuses, permits) in CAPABILITIES {
        let environment = granted(capability, grant);
        permit(&environment, permits);
        environment.sluice(&["plan"]).exits_with(0);
        permit(&environment, refuses);
        let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
        assert!(!environment.workspace().join(".sluice/runs").exists(), "nothing ran");
        let causes = ran.stderr.lines().filter(|line| line.contains('×') || line.contains("policy.yaml"));
        refused.extend(causes.map(|line| format!("{}\n", line.trim_end())));
    }
    insta::assert_snapshot!(refused, @r##"
    × step `tool` gets `files: write dist`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:10 permits of `files` only `read .`, `write target`
    help: if it should have that: add `write dist` to `files` in `sluice-policy.yaml`
    × step `tool` gets `http: GET https://api.example.com/v1/x`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:10 permits of `http` only `GET https://api.example.com/v2/*`
    help: if it should have that: add `GET https://api.example.com/v1/x` to `http` in `sluice-policy.yaml`
    × step `tool` gets `tcp: db.example.com:5432`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:10 permits of `tcp` only `db.example.com:80`
    help: if it should have that: add `db.example.com:5432` to `tcp` in `sluice-policy.yaml`
    × step `tool` gets `exec: curl`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:10 permits of `exec` only `git`, `make`
    help: if it should have that: add `curl` to `exec` in `sluice-policy.yaml`
    × step `tool` gets `env: AWS_KEY`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:10 permits of `env` only `CI_*`
    help: if it should have that: add `AWS_KEY` to `env` in `sluice-policy.yaml`
    × step `tool` gets `secrets: DEPLOY_KEY`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:10 permits nothing of `secrets`
    help: if it should have that: add `DEPLOY_KEY` to `secrets` in `sluice-policy.yaml`
    × step `tool` gets `artifacts: write`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:10 permits of `artifacts` only `read`
    help: if it should have that: add `write` to `artifacts` in `sluice-policy.yaml`
    × step `tool` gets `exec: git`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:7 says `exec: false`
    help: if it should have that: change `exec` in `sluice-policy.yaml`
    × step `tool` gets `exec: bash`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:9 says `shells: false`
    help: if it should have that: change `shells` in `sluice-policy.yaml`
    × step `tool` gets `http: GET https://corp.example/* private`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:19 says `private-networks: false`
    help: if it should have that: change `private-networks` in `sluice-policy.yaml`
    × step `tool` gets `tcp: 127.0.0.1:80`, which the policy does not permit
    ╰─▶ sluice-policy.yaml:2:19 says `private-networks: false`
    help: if it should have that: change `private-networks` in `sluice-policy.yaml`
    "##);
}

#[test]
fn plugins_are_refused_and_permitted() {
    let environment = Environment::new();
    environment.write("plugins/tool.wasm", guest("greet.wasm")).write(
        "sluice.yaml",
        "steps:\n- {id: tool, uses: ./plugins/tool.wasm}\n- {id: check, uses: lint}\n- {id: never, if: 'false', uses: scan}\n",
    );
    let digest = environment.command(&["plan", "--json"]).output().unwrap();
    let plan: serde_json::Value = serde_json::from_slice(&digest.stdout).unwrap();
    let digest = plan["jobs"]["main"]["steps"][0]["digest"].as_str().unwrap();
    for permits in [
        "plugins: [lint, ./plugins/*]".to_owned(),
        "plugins: [\"*\", \"./*\"]".to_owned(),
        format!("plugins: [lint, {{from: plugins//tool.wasm, digest: \"{digest}\"}}]"),
    ] {
        permit(&environment, &permits);
        environment.sluice(&["plan"]).exits_with(0);
    }
    let other = format!("sha256:{}", "0".repeat(64));
    for refuses in [
        "plugins: [lint]".to_owned(),
        format!("plugins: [lint, {{from: ./plugins/*, digest: \"{other}\"}}]"),
        "plugins: [lint, {from: ./plugins/*, signer: {key: acme.pub}}]".to_owned(),
    ] {
        permit(&environment, &refuses);
        environment.sluice(&["plan"]).exits_with(2);
    }
    insta::assert_snapshot!(environment.sluice(&["plan"]).stderr, @r##"
    plan::policy

      × step `tool` uses the plugin `./plugins/tool.wasm`, which the policy does not permit
      ╰─▶ sluice-policy.yaml:2:17 asks for a signature by `acme.pub`: only registries have signatures
       ╭─[sluice.yaml:2:20]
     1 │ steps:
     2 │ - {id: tool, uses: ./plugins/tool.wasm}
       ·                    ─────────┬─────────
       ·                             ╰── a plugin that may not run
     3 │ - {id: check, uses: lint}
       ╰────
      help: if it should run: have it signed, or name its `digest` instead of its `signer` in `sluice-policy.yaml`
    "##);
}

const RELEASE: &str = "\
steps:
- {id: build, run: echo built > out.txt}
- {id: site, uses: deploy, with: {to: public, from: site}}
";

/// A workflow that deploys, with a file for each layer that says nothing yet.
fn release() -> Environment {
    let mut environment = Environment::new();
    environment.write("sluice.yaml", RELEASE).write("site/index.html", "one\n");
    let home = environment.home();
    fs::create_dir_all(home.join(".config/sluice")).unwrap();
    for (variable, file) in [("SLUICE_MACHINE_POLICY", "machine.yaml"), ("SLUICE_POLICY", "organisation.yaml")] {
        environment.variable(variable, home.join(file).to_str().unwrap());
    }
    for file in LAYERS {
        say(&environment, file, "");
    }
    environment
}

const LAYERS: [&str; 4] =
    ["home/machine.yaml", "home/organisation.yaml", "home/.config/sluice/policy.yaml", "work/sluice-policy.yaml"];

/// What one layer says. `file` is below the root of the environment.
fn say(environment: &Environment, file: &str, policy: &str) {
    let root = environment.workspace().parent().unwrap().to_owned();
    fs::write(root.join(file), format!("version: 1\n{policy}\n")).unwrap();
}

#[test]
fn every_layer_counts() {
    let environment = release();
    environment.sluice(&["plan"]).exits_with(0);
    let mut refused = String::new();
    for file in LAYERS {
        say(&environment, file, "shells: false");
        let ran = environment.sluice(&["plan"]).exits_with(2);
        refused.extend(ran.stderr.lines().filter(|line| line.contains("says `shells")).map(|line| format!("{line}\n")));
        // What another layer permits does not matter.
        for other in LAYERS.iter().filter(|other| **other != file) {
            say(&environment, other, "shells: true\ngrants: {exec: [sh]}");
        }
        environment.sluice(&["check"]).exits_with(2);
        LAYERS.iter().for_each(|file| say(&environment, file, ""));
    }
    insta::assert_snapshot!(refused, @r##"
    ╰─▶ [ROOT]/home/machine.yaml:2:9 says `shells: false`
    ╰─▶ [ROOT]/home/organisation.yaml:2:9 says `shells: false`
    ╰─▶ [ROOT]/home/.config/sluice/policy.yaml:2:9 says `shells: false`
    ╰─▶ sluice-policy.yaml:2:9 says `shells: false`
    "##);
    for file in LAYERS {
        say(&environment, file, "shells: false\nplugins: [deploy]");
    }
    let told = environment.sluice(&["plan"]).exits_with(2).unwrapped();
    for name in ["machine.yaml", "organisation.yaml", "sluice/policy.yaml", "sluice-policy.yaml"] {
        assert!(told.contains(&format!("{name}:2:9 says `shells: false`")), "{told}");
        assert!(told.contains(&format!("{name}:3:1 permits of plugins only `deploy`")), "{told}");
    }
}

#[test]
fn what_applies_is_shown() {
    let mut environment = Environment::new();
    environment.write("sluice.yaml", RELEASE).write("site/index.html", "one\n");
    let machine = environment.home().join("machine.yaml");
    environment.variable("SLUICE_MACHINE_POLICY", machine.to_str().unwrap());
    say(&environment, "home/machine.yaml", "plugins: [exec, deploy]\ngrants: {secrets: [], exec: [sh, git]}");
    say(
        &environment,
        "work/sluice-policy.yaml",
        "for: [{plugins: [deploy], grants: {files: [read .]}}]\nreveal: false",
    );
    insta::assert_snapshot!(environment.sluice(&["policy", "show"]).exits_with(0).stdout, @r##"
    [ROOT]/home/machine.yaml of the machine
      plugins: deploy, exec
      exec: git, sh
      secrets: none
    sluice-policy.yaml of the repository
      reveal: false
      for deploy
        files: read .
    /etc/sluice/policy.yaml of the machine
      there is none
    [ROOT]/home/.config/sluice/policy.yaml of the organisation
      there is none
    together sha256:[DIGEST]
    "##);
    insta::assert_snapshot!(environment.sluice(&["policy", "explain"]).exits_with(0).stdout, @r##"
    main/build
      allowed  plugin: exec
          [ROOT]/home/machine.yaml:2:11 says `plugins: exec`
          sluice-policy.yaml says nothing
      allowed  files: write .
          [ROOT]/home/machine.yaml says nothing
          sluice-policy.yaml says nothing
      allowed  exec: sh
          [ROOT]/home/machine.yaml:3:30 says `exec: sh`
          sluice-policy.yaml says nothing

    main/site
      allowed  plugin: deploy
          [ROOT]/home/machine.yaml:2:17 says `plugins: deploy`
          sluice-policy.yaml says nothing
      refused  files: write public
          [ROOT]/home/machine.yaml says nothing
          sluice-policy.yaml:2:36 permits of `files` only `read .`
      allowed  files: read site
          [ROOT]/home/machine.yaml says nothing
          sluice-policy.yaml:2:44 says `files: read .`
      allowed  artifacts: read
          [ROOT]/home/machine.yaml says nothing
          sluice-policy.yaml says nothing
    "##);
    let plan = environment.sluice(&["plan"]).exits_with(2);
    assert!(plan.unwrapped().contains("step `site` gets `files: write public`"), "{}", plan.whole());
    let explained = environment.sluice(&["policy", "explain", "main/site", "--json"]).exits_with(0);
    let explained: serde_json::Value = serde_json::from_str(&explained.stdout).unwrap();
    insta::assert_snapshot!(format!("{:#}", explained["steps"][0]["decisions"][1]), @r##"
    {
      "of": "files: write public",
      "allowed": false,
      "rulings": [
        {
          "owner": "machine",
          "file": "[ROOT]/home/machine.yaml",
          "line": null,
          "column": null,
          "verdict": "silent",
          "says": null
        },
        {
          "owner": "repository",
          "file": "sluice-policy.yaml",
          "line": 2,
          "column": 36,
          "verdict": "refused",
          "says": "permits of `files` only `read .`"
        }
      ]
    }
    "##);
    let unknown = environment.sluice(&["policy", "explain", "main/sitee"]).exits_with(2);
    assert!(unknown.stderr.contains("a step with a similar name exists: `main/site`"), "{}", unknown.whole());
    say(&environment, "work/sluice-policy.yaml", "");
    let plan = environment.sluice(&["plan"]).exits_with(0);
    assert!(plan.stdout.contains("  policy [ROOT]/home/machine.yaml of the machine\n"), "{}", plan.whole());
    let shown = environment.sluice(&["policy", "show", "--json"]).exits_with(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["layers"][0]["says"]["grants"]["secrets"], serde_json::json!([]));
}

#[test]
fn where_there_is_no_policy_everything_is_as_without() {
    let environment = Environment::new();
    environment.write("sluice.yaml", "steps: [{run: echo hello}]\n");
    let explained = environment.sluice(&["policy", "explain"]).exits_with(0);
    assert!(explained.stdout.starts_with("no policy applies here"), "{}", explained.whole());
    let plan = environment.sluice(&["plan", "--json"]).exits_with(0);
    assert!(!plan.stdout.contains("\"policy\""));
    insta::assert_snapshot!(environment.sluice(&["policy", "show"]).exits_with(0).stdout, @r##"
    /etc/sluice/policy.yaml of the machine
      there is none
    [ROOT]/home/.config/sluice/policy.yaml of the organisation
      there is none
    sluice-policy.yaml of the repository
      there is none
    "##);
}

/// Nothing runs, and the message names the file.
fn stops(environment: &Environment, name: &str) -> Ran {
    for command in
        [&["run", "--plain"][..], &["plan"], &["check"], &["watch"], &["policy", "show"], &["policy", "explain"]]
    {
        if command != ["watch"] {
            let ran = environment.sluice(command).exits_with(2);
            assert!(ran.stderr.contains(name), "{command:?}\n{}", ran.whole());
        }
    }
    assert!(!environment.workspace().join(".sluice/runs").exists(), "nothing ran");
    environment.sluice(&["plan"])
}

#[test]
fn a_policy_that_cannot_be_read_stops_everything() {
    let mut environment = Environment::new();
    environment.write("sluice.yaml", "steps: [{run: echo hello}]\n");
    let path = environment.workspace().join("sluice-policy.yaml");
    let root = environment.workspace().parent().unwrap().to_owned();
    let mut told = String::new();
    let mut tell = |environment: &Environment| told.push_str(&stops(environment, "sluice-policy.yaml").stderr);
    environment.write("sluice-policy.yaml", "version: 1\nshell: false\ngrants: {exec: [/bin/sh], exce: []}\n");
    tell(&environment);
    environment.write("sluice-policy.yaml", "version: [\n");
    tell(&environment);
    environment.write("sluice-policy.yaml", b"version: 1 # \xff\n");
    tell(&environment);
    environment.write("sluice-policy.yaml", format!("version: 1\n#{}\n", "x".repeat(300_000)));
    tell(&environment);
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    tell(&environment);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    tell(&environment);
    fs::remove_dir(&path).unwrap();
    fs::write(root.join("outside.yaml"), "version: 1\n").unwrap();
    symlink("../outside.yaml", &path).unwrap();
    tell(&environment);
    fs::remove_file(&path).unwrap();
    symlink("nowhere.yaml", &path).unwrap();
    tell(&environment);
    insta::assert_snapshot!(told);

    // One that stays inside is as good as a file.
    environment.write("ci/policy.yaml", "version: 1\nshells: false\n");
    fs::remove_file(&path).unwrap();
    symlink("ci/policy.yaml", &path).unwrap();
    environment.sluice(&["plan"]).exits_with(2);
    fs::remove_file(&path).unwrap();
    environment.sluice(&["plan"]).exits_with(0);
    environment.variable("SLUICE_POLICY", root.join("absent.yaml").to_str().unwrap());
    insta::assert_snapshot!(stops(&environment, "absent.yaml").stderr, @r##"
    policy::unreadable

      × cannot read the policy `[ROOT]/absent.yaml`
      ╰─▶ there is no such file
      help: nothing runs without it; the environment variable SLUICE_POLICY names it
    "##);
    environment.variable("SLUICE_POLICY", "ci/policy.yaml");
    insta::assert_snapshot!(stops(&environment, "ci/policy.yaml").stderr, @r##"
    policy::unreadable

      × cannot read the policy `ci/policy.yaml`
      ╰─▶ it is no absolute path
      help: nothing runs without it; the environment variable SLUICE_POLICY names it
    "##);
    environment.variable("SLUICE_POLICY", "");
    environment.sluice(&["plan"]).exits_with(0);
}

#[test]
fn a_plan_is_bound_to_the_policy() {
    let environment = release();
    environment.sluice(&["plan", "-o", "release.plan"]).exits_with(0);
    environment.sluice(&["run", "--plan", "release.plan", "--plain"]).exits_with(0);
    // A comment is no change, a rule is one though the plan is within it.
    say(&environment, "work/sluice-policy.yaml", "# a comment");
    environment.sluice(&["run", "--plan", "release.plan", "--plain"]).exits_with(0);
    say(&environment, "work/sluice-policy.yaml", "private-networks: false");
    insta::assert_snapshot!(environment.sluice(&["run", "--plan", "release.plan", "--plain"]).exits_with(2).stderr, @r##"
    plan::changed

      × the policy is not as the plan `release.plan` has it
      ╰─▶ it is new
      help: nothing ran; if this is what should run, plan anew: `sluice plan -o release.plan`
    "##);
    say(&environment, "work/sluice-policy.yaml", "exec: false");
    let ran = environment.sluice(&["run", "--plan", "release.plan", "--plain"]).exits_with(2);
    assert!(ran.stderr.contains("plan::policy"), "{}", ran.whole());
}

#[test]
fn a_run_goes_on_under_the_policy_of_today() {
    let environment = release();
    let waits = RELEASE
        .replace("steps:\n", "jobs:\n  main:\n    approval: {message: really}\n    steps:\n")
        .replace("\n- ", "\n    - ");
    environment.write("sluice.yaml", waits);
    environment.sluice(&["run", "--plain"]).exits_with(75);
    say(&environment, "work/sluice-policy.yaml", "shells: false");
    for command in [&["resume", "--plain"][..], &["rerun", "--plain"], &["approve", "--plain"]] {
        let ran = environment.sluice(command).exits_with(2);
        assert!(ran.stderr.contains("sluice-policy.yaml:2:9 says `shells: false`"), "{command:?}\n{}", ran.whole());
    }
    assert!(!environment.workspace().join("out.txt").exists());
    // A policy that has changed, and permits what the run does.
    say(&environment, "work/sluice-policy.yaml", "private-networks: false");
    environment.sluice(&["approve", "--plain"]).exits_with(0);
    assert_eq!(environment.read("public/current/index.html"), "one\n");
    environment.sluice(&["rerun", "--plain"]).exits_with(75);
}

#[test]
fn a_rollback_is_held_to_the_policy_of_today() {
    let environment = release();
    environment.sluice(&["run", "--plain"]).exits_with(0);
    environment.write("site/index.html", "two\n");
    environment.sluice(&["run", "--plain"]).exits_with(0);
    say(&environment, "work/sluice-policy.yaml", "for: [{plugins: [deploy], grants: {files: [read .]}}]");
    insta::assert_snapshot!(environment.sluice(&["rollback"]).exits_with(2).stderr, @r##"
    plan::policy

      × step `main/site` gets `files: write public`, which the policy does not permit
      ╰─▶ sluice-policy.yaml:2:36 permits of `files` only `read .`
      help: if it should have that: add `write public` to `files` in `sluice-policy.yaml`
    "##);
    assert_eq!(environment.read("public/current/index.html"), "two\n");
    say(&environment, "work/sluice-policy.yaml", "plugins: [deploy]");
    environment.sluice(&["rollback"]).exits_with(0);
    assert_eq!(environment.read("public/current/index.html"), "one\n");
}

#[test]
fn what_is_decided_while_it_runs_is_held_to_the_policy() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "\
steps:
- {id: where, run: echo out/a}
- id: tool
  uses: exec
  with: {program: \"${{ steps.where.outputs.stdout == 'out/a' ? 'true' : 'false' }}\"}
  grants: {exec: [\"true\", \"false\"]}
",
    );
    permit(&environment, "grants: {exec: [sh, \"true\"]}");
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    assert!(ran.unwrapped().contains("step `tool` gets `exec: false`"), "{}", ran.whole());
    permit(&environment, "grants: {exec: [sh, \"true\", \"false\"]}");
    environment.sluice(&["run", "--plain"]).exits_with(0);
}

#[test]
fn a_program_that_gives_a_secret_is_held_to_the_policy() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "secrets: {TOKEN: {command: [printf, x]}}\nsteps: [{uses: notify, with: {url: \"https://hooks.example.com/x\", token-secret: TOKEN}}]\n",
    );
    permit(&environment, "grants: {exec: [printf]}");
    environment.sluice(&["plan"]).exits_with(0);
    permit(&environment, "grants: {exec: [git]}");
    insta::assert_snapshot!(environment.sluice(&["plan"]).exits_with(2).stderr, @r##"
    plan::policy

      × the secret `TOKEN` comes from the program `printf`, which the policy does not permit
      ╰─▶ sluice-policy.yaml:2:10 permits of `exec` only `git`
       ╭─[sluice.yaml:1:18]
     1 │ secrets: {TOKEN: {command: [printf, x]}}
       ·                  ───────────┬──────────
       ·                             ╰── a program gives its value
     2 │ steps: [{uses: notify, with: {url: "https://hooks.example.com/x", token-secret: TOKEN}}]
       ╰────
      help: if it should come from there: add `printf` to `exec` in `sluice-policy.yaml`
    "##);
}

#[test]
fn policies_in_the_documentation_are_right() {
    let page = fs::read_to_string(repository().join("docs/policy.md")).unwrap();
    let mut found = 0;
    for text in page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        let environment = Environment::new();
        environment.write("sluice-policy.yaml", text).sluice(&["policy", "show"]).exits_with(0);
        found += 1;
    }
    assert_eq!(found, 5);
}
