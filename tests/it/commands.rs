//! Every command from outside: what it prints, and its exit code.

use crate::environment::{Environment, guest, repository};

fn with_hello() -> Environment {
    let environment = Environment::new();
    environment.write(
        "workflows/hello.yaml",
        "name: hello\ninputs:\n  who: {type: string, default: world, description: Whom to greet}\nsteps:\n  - name: say hello\n    run: echo \"hello, ${{ inputs.who }}\"\n",
    );
    environment
}

#[test]
fn helps_have_examples() {
    let environment = Environment::new();
    for command in [
        &["--help"][..],
        &["run", "--help"],
        &["plan", "--help"],
        &["watch", "--help"],
        &["approve", "--help"],
        &["check", "--help"],
        &["list", "--help"],
        &["runs", "--help"],
        &["runs", "list", "--help"],
        &["runs", "show", "--help"],
        &["runs", "logs", "--help"],
        &["runs", "prune", "--help"],
        &["rollback", "--help"],
        &["plugin", "--help"],
        &["plugin", "list", "--help"],
        &["plugin", "show", "--help"],
        &["plugin", "pack", "--help"],
        &["policy", "--help"],
        &["policy", "show", "--help"],
        &["policy", "explain", "--help"],
        &["plugin", "add", "--help"],
        &["plugin", "update", "--help"],
        &["plugin", "remove", "--help"],
        &["plugin", "vendor", "--help"],
        &["plugin", "verify", "--help"],
        &["plugin", "push", "--help"],
        &["lock", "--help"],
        &["schema", "--help"],
        &["explain", "--help"],
        &["completions", "--help"],
    ] {
        let ran = environment.sluice(command).exits_with(0);
        let group = matches!(command, ["runs" | "plugin" | "policy" | "completions", "--help"]);
        assert!(group || ran.stdout.contains("Examples:"), "{command:?}\n{}", ran.stdout);
        insta::assert_snapshot!(format!("help_{}", command[..command.len() - 1].join("_")), ran.stdout);
    }
}

#[test]
fn a_wrong_command_line_exits_with_two() {
    let environment = with_hello();
    for command in [
        &["rnu"][..],
        &["run", "--jobs", "0"],
        &["run", "-i", "novalue"],
        &["run", "hello", "-i", "hwo=x"],
        &["run", "nowhere"],
        &["run", "nowhere.yaml"],
        &["plan", "nowhere"],
        &["plugin", "show", "lnit"],
        &["plugin", "show", "./none.wasm"],
        &["runs", "show", "2020"],
        &["runs", "logs", "../../etc"],
        &["rollback", "2020"],
        &["explain", "workflow::none"],
        &["completions", "cobol"],
        &["-C", "no-such-folder", "run"],
    ] {
        let ran = environment.sluice(command);
        assert_eq!(ran.code, 2, "{command:?}\n{}", ran.whole());
        assert!(!ran.stderr.is_empty() && ran.stdout.is_empty(), "{command:?}\n{}", ran.whole());
    }
}

#[test]
fn plan_shows_what_run_does() {
    let environment = with_hello();
    insta::assert_snapshot!("plan_hello", environment.sluice(&["plan"]).exits_with(0).stdout);
    let plan = environment.sluice(&["plan", "--json"]).exits_with(0);
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["workflow"], "hello");
    assert!(!environment.workspace().join(".sluice").exists(), "planning writes nothing");
}

#[test]
fn list_and_check() {
    let environment = with_hello();
    environment.write("workflows/broken.yaml", "steps:\n  - rn: echo\n");
    insta::assert_snapshot!("list", environment.sluice(&["list"]).whole());
    insta::assert_snapshot!("check", environment.sluice(&["check"]).exits_with(2).whole());
    environment.sluice(&["check", "hello"]).exits_with(0);
    let json = environment.sluice(&["check", "broken", "--json"]).exits_with(2);
    let problems: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(problems[0]["code"], "workflow::unknown-field");
    assert_eq!(problems[0]["line"], 2);
}

#[test]
fn plugins_are_shown_without_running_them() {
    let environment = Environment::new();
    let list = environment.sluice(&["plugin", "list"]).exits_with(0).stdout;
    for name in ["build", "deploy", "exec", "lint", "notify", "scan"] {
        assert!(list.contains(name), "{list}");
        let shown = environment.sluice(&["plugin", "show", name]).exits_with(0).stdout;
        assert!(shown.contains("sha256:") && shown.contains("because"), "{shown}");
        let json = environment.sluice(&["plugin", "show", name, "--json"]).exits_with(0).stdout;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["manifest"]["name"], *name);
    }
}

#[test]
fn a_manifest_is_packed_once() {
    let environment = Environment::new();
    environment
        .write("greet.wasm", guest("greet.wasm"))
        .write("plugin.yaml", "name: greet\nversion: 1.2.3\ndescription: Greets.\nkinds: [task]\n");
    environment.sluice(&["plugin", "pack", "greet.wasm", "-o", "packed.wasm"]).exits_with(0);
    let shown = environment.sluice(&["plugin", "show", "./packed.wasm"]).exits_with(0).stdout;
    assert!(shown.starts_with("greet 1.2.3  task\nGreets.\n"), "{shown}");
    let again = environment.sluice(&["plugin", "pack", "packed.wasm", "-o", "twice.wasm"]).exits_with(2);
    assert!(again.stderr.contains("plugin::second-manifest"), "{}", again.whole());
    environment.write("plugin.yaml", "name: Greet\n");
    environment.sluice(&["plugin", "pack", "greet.wasm", "-o", "bad.wasm"]).exits_with(2);
    assert!(!environment.workspace().join("twice.wasm").exists() && !environment.workspace().join("bad.wasm").exists());
}

#[test]
fn the_schema_accepts_the_examples() {
    let environment = Environment::new();
    let schema: serde_json::Value =
        serde_json::from_str(&environment.sluice(&["schema"]).exits_with(0).stdout).unwrap();
    assert!(schema["properties"]["jobs"].is_object());
}

#[test]
fn every_code_is_explained() {
    let environment = Environment::new();
    let codes = environment.sluice(&["explain"]).exits_with(0).stdout;
    let codes: Vec<&str> = codes.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        let long = environment.sluice(&["explain", code]).exits_with(0).stdout;
        assert!(long.lines().count() > 2, "{code}: {long}");
    }
}

#[test]
fn completions_know_the_commands() {
    let environment = Environment::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = environment.sluice(&["completions", shell]).exits_with(0).stdout;
        assert!(script.contains("rollback"), "{shell}");
    }
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let mut environment = with_hello();
    assert!(!environment.sluice(&["run"]).stderr.contains('\u{1b}'));
    assert!(environment.sluice(&["run", "--color", "always"]).whole().contains('\u{1b}'));
    environment.variable("NO_COLOR", "1");
    assert!(!environment.sluice(&["run"]).whole().contains('\u{1b}'));
}

#[test]
fn a_broken_pipe_ends_quietly() {
    let environment = Environment::new();
    let binary = crate::environment::binary();
    let script = format!("'{}' completions bash | head -n 1 >/dev/null; echo ${{PIPESTATUS[0]}}", binary.display());
    let output =
        std::process::Command::new("bash").args(["-c", &script]).current_dir(environment.workspace()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn it_works_from_any_folder_below() {
    let environment = with_hello();
    environment.write("src/deep/x.txt", "");
    let ran = environment.command(&["run"]).current_dir(environment.workspace().join("src/deep")).output().unwrap();
    assert!(ran.status.success());
    assert!(environment.workspace().join(".sluice/runs").is_dir(), "the record stands in the workspace");
}

#[test]
fn the_version_is_that_of_the_package() {
    let ran = Environment::new().sluice(&["--version"]).exits_with(0);
    assert_eq!(ran.stdout.trim(), format!("sluice {}", env!("CARGO_PKG_VERSION")));
    assert!(repository().join("CHANGELOG.md").is_file());
}
