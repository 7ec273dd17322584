//! Where values of secrets come from: real files, programs, a terminal, AWS as moto plays it, and a stand-in for Vault.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::environment::{Environment, Ran, binary, repository};
use crate::{servers, vault};

/// moto with the secrets of `tests/servers/aws.py`; ends when dropped.
pub struct Aws {
    process: Child,
    pub url: String,
    id: String,
    secret: String,
}

impl Aws {
    /// `None` where it is not installed, which in CI it must be.
    pub fn start() -> Option<Self> {
        let python = servers::installed("moto/bin/python", "moto")?;
        let mut process = Command::new(python)
            .arg(repository().join("tests/servers/aws.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("the server tells where it is");
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        Some(Self { process, url: text("url"), id: text("id"), secret: text("secret") })
    }

    pub fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", self.id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret.clone()),
        ]
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// A workspace whose only step prints these secrets, each behind its name.
fn prints(names: &[&str], secrets: &str) -> Environment {
    let environment = Environment::new();
    let script: String = names.iter().map(|name| format!("      echo \"{name}=$V_{name}\"\n")).collect();
    let variables: String = names.iter().map(|name| format!("        V_{name}: {name}\n")).collect();
    environment.write(
        "sluice.yaml",
        format!("secrets:\n{secrets}steps:\n  - run: |\n{script}    with:\n      secret-env:\n{variables}"),
    );
    environment
}

/// Runs the workflow with a program that proves the value by its digest, because the value itself is masked.
fn digest(secrets: &str, value: &str, prepare: impl FnOnce(&mut Environment)) {
    let mut environment = Environment::new();
    environment.write(
        "sluice.yaml",
        format!(
            "secrets:\n  S: {secrets}\nsteps:\n  - run: |\n      printf %s \"$S\" | cmp - expected && echo it is \
             the same\n      echo \"<$S>\"\n    with: {{secret-env: {{S: S}}}}\n"
        ),
    );
    environment.write("expected", value);
    prepare(&mut environment);
    let ran = environment.sluice(&["run", "--plain"]).exits_with(0);
    assert!(ran.stdout.contains("it is the same"), "{secrets}: {}", ran.whole());
    assert!(ran.stdout.contains("<***>"), "{secrets}: {}", ran.whole());
    assert!(!ran.whole().contains(value), "{secrets}: {}", ran.whole());
}

fn home(environment: &Environment, path: &str, content: &str, mode: u32) {
    let path = environment.workspace().parent().unwrap().join("home").join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
}

fn mode(environment: &Environment, path: &str, mode: u32) {
    fs::set_permissions(environment.workspace().join(path), Permissions::from_mode(mode)).unwrap();
}

fn refused(environment: &Environment) -> Ran {
    let ran = environment.sluice(&["run"]).exits_with(2);
    assert_eq!(ran.stdout, "");
    assert!(!environment.workspace().join(".sluice/runs").exists(), "nothing ran, so nothing is recorded");
    ran
}

#[test]
fn values_come_from_the_environment_files_and_programs() {
    digest("{env: PROD}", "value of a variable", |environment| {
        environment.variable("PROD", "value of a variable");
    });
    digest("{file: ~/.config/x/password}", "in a file", |environment| {
        home(environment, ".config/x/password", "in a file\n", 0o600);
    });
    digest("{file: keys/one}", "line 1\nline 2\n", |environment| {
        environment.write("keys/one", "line 1\nline 2\n\r\n");
        mode(environment, "keys/one", 0o400);
    });
    digest(r#"{command: [printf, "%s\n", "$HOME is not expanded"]}"#, "$HOME is not expanded", |_| {});
    digest("{command: [./show]}", "from a script", |environment| {
        environment.write("show", "#!/bin/sh\npwd >&2\ncat value\n").write("value", "from a script");
        mode(environment, "show", 0o700);
    });
}

#[test]
fn the_environment_goes_before_every_source() {
    let prepare = |environment: &mut Environment| {
        environment.variable("SLUICE_SECRET_S", "given by hand");
    };
    digest("{command: [\"false\"]}", "given by hand", prepare);
    digest("{prompt: \"Nobody is asked\"}", "given by hand", prepare);
}

#[test]
fn what_cannot_be_had_is_refused_before_anything_runs() {
    let mut environment = prints(
        &["UNSET", "EMPTY", "GONE", "OPEN", "FOLDER", "BINARY", "FAILS", "MISSING", "MUCH", "PROMPT", "UNKNOWN"],
        r#"  UNSET: {env: NOT_SET}
  EMPTY: {env: SET_TO_NOTHING}
  GONE: {file: ~/gone}
  OPEN: {file: open}
  FOLDER: {file: folder}
  BINARY: {file: binary}
  FAILS: {command: [sh, -c, "v=hunter; echo ${v}2-value; echo locked: ${v}2-value >&2; exit 3"]}
  MISSING: {command: [no-such-program]}
  MUCH: {command: [head, -c, "70000", /dev/zero]}
  PROMPT: {prompt: "Deploy key"}
  UNKNOWM: {env: X}
  UNUSED: {command: [touch, was-fetched]}
"#,
    );
    environment.variable("SET_TO_NOTHING", "").write("open", "x").write("folder/x", "").write("binary", b"\xff\xfe");
    mode(&environment, "open", 0o644);
    mode(&environment, "binary", 0o600);
    let ran = refused(&environment);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    assert!(!environment.workspace().join("was-fetched").exists(), "a secret that nobody needs is not fetched");
    insta::assert_snapshot!(ran.whole());
}

#[test]
fn only_steps_that_may_run_need_their_secrets() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "inputs: {deploy: {type: boolean, default: false}}\nsecrets:\n  S: {env: NOT_SET}\nsteps:\n  - run: echo fine\n  \
         - run: echo $S\n    if: inputs.deploy\n    with: {secret-env: {S: S}}\n",
    );
    environment.sluice(&["run"]).exits_with(0);
    environment.sluice(&["run", "-i", "deploy=true"]).exits_with(2);
}

#[test]
fn a_plan_shows_sources_and_asks_nobody() {
    let environment = prints(
        &["A", "B", "C"],
        "  A: {command: [touch, was-fetched]}\n  B: {vault: {path: secret/data/app, key: token, address: \
         \"https://vault.example\"}}\n  UNUSED: {prompt: \"Nobody\"}\n",
    );
    let ran = environment.sluice(&["plan"]).exits_with(0);
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("  secret ")).collect();
    assert_eq!(
        lines,
        [
            "  secret A from command touch was-fetched, for step-1",
            "  secret B from vault secret/data/app, key token, at https://vault.example, for step-1",
            "  secret C from env SLUICE_SECRET_C, for step-1",
        ]
    );
    let json: Value = serde_json::from_str(&environment.sluice(&["plan", "--json"]).stdout).unwrap();
    assert_eq!(json["secrets"]["A"], json!({"command": ["touch", "was-fetched"]}));
    assert!(!environment.workspace().join("was-fetched").exists());
}

#[test]
fn a_program_that_hangs_ends_with_the_run() {
    let environment = prints(&["S"], "  S: {command: [sh, -c, \"echo $$ > pid; sleep 300 & wait\"]}\n");
    let mut run = environment.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let file = environment.workspace().join("pid");
    let group = loop {
        match fs::read_to_string(&file) {
            Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
            _ => assert!(run.try_wait().unwrap().is_none(), "it waits for its secret"),
        }
        std::thread::yield_now();
    };
    let signal = |signal: &str, target: &str| {
        let mut kill = Command::new("kill");
        kill.args([signal, "--", target]).stderr(Stdio::null()).status().unwrap().success()
    };
    assert!(signal("-TERM", &run.id().to_string()));
    assert_eq!(run.wait().unwrap().code(), Some(143));
    assert!(!alive(&group), "a process outlived the run");
}

/// Whether the group has a process that is not about to be buried.
fn alive(group: &str) -> bool {
    fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("stat")).ok()).any(
        |stat| {
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            fields.get(2) == Some(&group) && fields.first() != Some(&"Z")
        },
    )
}

#[test]
fn a_short_value_is_told_to_be_unmasked() {
    let mut environment = prints(&["PIN"], "  PIN: {env: PIN}\n");
    environment.variable("PIN", "123");
    let ran = environment.sluice(&["run", "--plain"]).exits_with(0);
    assert!(ran.stderr.contains("run::short-secret") && ran.stderr.contains("`PIN`"), "{}", ran.whole());
    assert!(!ran.stderr.contains("123"), "{}", ran.whole());
}

/// Runs `sluice run` at a terminal; `script` is what to type after what is shown.
fn at_terminal(environment: &Environment, script: &[&str]) -> (i32, String) {
    at_terminal_with(environment, script, &["run", "--plain"])
}

/// The same with other arguments.
pub fn at_terminal_with(environment: &Environment, script: &[&str], arguments: &[&str]) -> (i32, String) {
    let hermetic = environment.command::<&str>(&[]);
    let mut command = Command::new("python3");
    command.arg(repository().join("tests/it/terminal.py")).args(script).arg("--").arg(binary()).args(arguments);
    command.env_clear().envs(hermetic.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = command.current_dir(environment.workspace()).stdin(Stdio::null()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    (ran.status.code().unwrap_or(-1), String::from_utf8_lossy(&ran.stdout).into_owned())
}

#[test]
fn somebody_at_a_terminal_is_asked_without_echo() {
    let environment = prints(&["A", "B"], "  A: {prompt: Deploy key}\n  B: {prompt: Other key}\n");
    // A slip is corrected with backspace.
    let (code, shown) =
        at_terminal(&environment, &["Deploy key (secret A): =first valuX\\x7fe", "Other key (secret B): =the-second"]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("A=***") && shown.contains("B=***"), "{shown}");
    assert!(!shown.contains("first") && !shown.contains("second"), "{shown}");
}

#[test]
fn nobody_types_for_nothing() {
    let environment = prints(&["A", "B"], "  A: {prompt: Deploy key}\n  B: {env: NOT_SET}\n");
    let (code, shown) = at_terminal(&environment, &["Deploy key=value"]);
    assert_eq!(code, 2, "{shown}");
    assert!(!shown.contains("Deploy key (secret"), "{shown}");
}

#[test]
fn a_question_may_be_refused() {
    let environment = prints(&["A"], "  A: {prompt: Deploy key}\n");
    assert_eq!(at_terminal(&environment, &["Deploy key (secret A): =\\x03"]).0, 130);
    let (code, shown) = at_terminal(&environment, &["Deploy key (secret A): ="]);
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("it is empty"), "{shown}");
}

fn vault_with(fields: Value) -> crate::server::Server {
    vault::start(BTreeMap::from([("app", fields), ("team/db", json!({"password": "in a folder"}))]))
}

#[test]
fn values_come_from_vault() {
    let server = vault_with(json!({"token": "vault-\"token\"/+", "number": 5}));
    let app = "{vault: {path: secret/data/app, key: token}}";
    digest(app, "vault-\"token\"/+", |environment| {
        environment.variable("VAULT_ADDR", &server.url("/")).variable("VAULT_TOKEN", vault::TOKEN);
    });
    let address = server.url("");
    let team =
        format!("{{vault: {{path: secret/data/team/db, key: password, address: \"{address}\", namespace: team/}}}}");
    digest(&team, "in a folder", |environment| home(environment, ".vault-token", vault::TOKEN, 0o600));
    assert_eq!(server.requests()[1].header("x-vault-namespace"), Some(vault::NAMESPACE));
}

#[test]
fn what_vault_refuses_is_told() {
    let server = vault_with(json!({"token": "x", "number": 5}));
    let mut environment = prints(
        &["NO_SECRET", "NO_KEY", "NUMBER", "DELETED", "MOUNT", "NAMESPACE", "ELSEWHERE"],
        r#"  NO_SECRET: {vault: {path: secret/data/none, key: token}}
  NO_KEY: {vault: {path: secret/data/app, key: tokn}}
  NUMBER: {vault: {path: secret/data/app, key: number}}
  DELETED: {vault: {path: secret/data/deleted, key: token}}
  MOUNT: {vault: {path: other/data/app, key: token}}
  NAMESPACE: {vault: {path: secret/data/app, key: token, namespace: nobody}}
  ELSEWHERE: {vault: {path: secret/data/app, key: token, address: "https://elsewhere.example"}}
"#,
    );
    environment.variable("VAULT_ADDR", &server.url("")).variable("VAULT_TOKEN", vault::TOKEN);
    let ran = refused(&environment);
    insta::assert_snapshot!(ran.whole().replace(&server.address, "[ADDRESS]"));

    let mut environment = prints(&["S"], "  S: {vault: {path: secret/data/app, key: token}}\n");
    environment.variable("VAULT_ADDR", &server.url("")).variable("VAULT_TOKEN", "hvs.wrong");
    let ran = refused(&environment);
    assert!(ran.stderr.contains("invalid token") && !ran.stderr.contains("hvs."), "{}", ran.whole());
}

#[test]
fn values_come_from_aws() {
    let Some(aws) = Aws::start() else { return };
    let with_keys = |environment: &mut Environment| {
        for (name, value) in aws.variables() {
            environment.variable(name, &value);
        }
    };
    digest("{aws: {id: prod/app, key: password, region: eu-west-1}}", "aws-Pa55-w/rd+1", with_keys);
    digest("{aws: {id: prod/plain}}", "aws-plain-text-value", |environment| {
        let files = "[default]\naws_access_key_id = nobody\naws_secret_access_key = x\n[build]\n";
        let keys = format!("{files}aws_access_key_id = {}\naws_secret_access_key = {}\n", aws.id, aws.secret);
        home(environment, ".aws/credentials", &keys, 0o600);
        home(environment, ".aws/config", "[profile build]\nregion = eu-west-1\n", 0o600);
        environment.variable("AWS_PROFILE", "build").variable("AWS_ENDPOINT_URL_SECRETS_MANAGER", &aws.url);
    });

    let secrets = "  NO_SECRET: {aws: {id: prod/none}}\n  NO_KEY: {aws: {id: prod/app, key: passwort}}\n  NESTED: {aws: \
                   {id: prod/app, key: nested}}\n  NO_JSON: {aws: {id: prod/plain, key: x}}\n  BINARY: {aws: {id: \
                   prod/binary}}\n";
    let names = ["NO_SECRET", "NO_KEY", "NESTED", "NO_JSON", "BINARY"];
    let mut environment = prints(&names, secrets);
    with_keys(environment.variable("AWS_REGION", "eu-west-1"));
    insta::assert_snapshot!("what_aws_refuses", refused(&environment).whole());

    let mut environment = prints(&["S"], "  S: {aws: {id: prod/plain, region: eu-west-1}}\n");
    with_keys(&mut environment);
    environment.variable("AWS_SECRET_ACCESS_KEY", "wrong-secret-key");
    let ran = refused(&environment);
    assert!(ran.stderr.contains("403") && !ran.stderr.contains("wrong-secret-key"), "{}", ran.whole());

    insta::assert_snapshot!(
        "without_credentials",
        refused(&prints(&["S"], "  S: {aws: {id: a, region: eu-west-1}}\n")).whole()
    );
}

/// Nothing of a record holds a value, in whatever form and pieces a program says it.
#[test]
fn no_form_of_a_value_is_recorded() {
    let mut environment = Environment::new();
    let value = "p\"ä/ss wörd\nsecond line";
    environment.variable("VALUE", value).write(
        "sluice.yaml",
        r#"secrets:
  S: {env: VALUE}
steps:
  - id: say
    run: |
      printf %s "$S" | base64
      printf '{"x": "%s"}' "$S" | base64 -w 0; echo
      printf %s "$S" | od -An -tx1 | tr -d ' \n'; echo
      python3 -c 'import os, json, urllib.parse, sys, time
      s = os.environ["S"]
      print(json.dumps({"v": s}), urllib.parse.quote(s), urllib.parse.quote_plus(s, safe=""), repr(s.encode()))
      for part in ["x" * 70000, s[:5], s[5:15], s[15:] + "\n"]:
          sys.stdout.write(part); sys.stdout.flush()
      sys.stderr.write("y" * 495 + s)'
      exit 1
    with: {secret-env: {S: S}}
"#,
    );
    let ran = environment.sluice(&["run", "--plain"]).exits_with(1);
    let text = ran.whole() + &all_text(&environment.workspace().join(".sluice"));
    for form in ["ss w", "second", "cCLDpC9zcyB3", "c2Vjb25k", "7365636f6e64", "%2Fss", "/ss", "\\u00e4/ss"] {
        assert!(!text.contains(form), "{form} is in {}", text.replace(&"x".repeat(60000), "x..."));
    }
    assert!(text.contains("***"));
}

/// The text of every file below a folder.
fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &all_text(&path);
        } else {
            text += &String::from_utf8_lossy(&fs::read(&path).unwrap());
        }
    }
    text
}

/// An output is the last 64 KiB of what was printed: here the cut would leave the last three letters of the secret.
#[test]
fn an_output_that_was_cut_tells_no_part_of_a_secret() {
    let environment = Environment::new();
    environment.write("value", "correct-horse-battery");
    mode(&environment, "value", 0o600);
    environment.write(
        "sluice.yaml",
        "secrets:\n  S: {file: value}\nsteps:\n  - id: a\n    run: printf %s \"$S\"; head -c 65533 /dev/zero | tr '\\0' y\n    \
         with: {secret-env: {S: S}}\n  - run: echo \"begins ${{ steps.a.outputs.stdout.startsWith('***y') }}\"\n",
    );
    let ran = environment.sluice(&["run", "--plain"]).exits_with(0);
    assert!(ran.stdout.contains("begins true"), "{}", ran.whole().chars().take(2000).collect::<String>());
}
