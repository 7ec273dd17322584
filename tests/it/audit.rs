//! What the host decides is on record; it can be looked at, signed, and learnt from.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::environment::{Environment, Ran, guest};
use crate::server::Server;

const FINE: &str = "200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// Ids and hashes as they are.
fn raw(environment: &Environment, arguments: &[&str]) -> Ran {
    Ran::of(environment.command(arguments).output().unwrap())
}

fn value(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A step that sends a secret and is denied another server, one that runs a program again and again, one with a folder.
fn busy(server: &Server) -> Environment {
    let mut environment = Environment::new();
    environment.variable("SLUICE_SECRET_TOKEN", "s3cr3t-value-of-it").write("sluice.yaml", workflow(&server.url("")));
    environment
}

fn workflow(origin: &str) -> String {
    format!(
        "\
jobs:
  main:
    steps:
      - id: tell
        uses: notify
        with: {{url: '{origin}/hook', format: json, token-secret: TOKEN}}
      - id: elsewhere
        uses: notify
        continue-on-error: true
        with: {{url: '{origin}/hook', attempts: 1}}
        grants:
          http: []
      - id: script
        uses: exec
        with: {{program: env, args: [sh, -c, 'test -n \"$T\"'], secret-env: {{T: TOKEN}}}}
      - id: pack
        uses: build
        with: {{files: ['**'], from: docs, name: site}}
"
    )
}

#[test]
fn every_decision_is_on_record() {
    let server = Server::start(&[FINE]);
    let environment = busy(&server);
    environment.write("docs/a.md", "# A\n");
    let events = environment.sluice(&["run", "--json"]).exits_with(0).events();
    let decisions: Vec<&Value> = events.iter().filter(|event| event["event"] == "decision").collect();
    for decision in &decisions {
        assert!(decision["digest"].as_str().unwrap().starts_with("sha256:"), "{decision}");
    }
    let told: Vec<String> = decisions
        .iter()
        .map(|decision| {
            let text = |field: &str| decision[field].as_str().unwrap().replace(&server.url(""), "[SERVER]");
            let details = decision.get("details").map(|details| format!(" {details}")).unwrap_or_default();
            let details = details.replace(&server.url(""), "[SERVER]");
            format!(
                "{} {}: {}{details}: {} by {}",
                text("step"),
                text("capability"),
                text("asked"),
                text("verdict"),
                text("rule")
            )
        })
        .collect();
    let env = String::from_utf8(Command::new("sh").args(["-c", "command -v env"]).output().unwrap().stdout).unwrap();
    let env = env.trim();
    assert_eq!(
        told,
        [
            "tell secrets: the secret `TOKEN` as a placeholder: allowed by TOKEN".to_owned(),
            "tell secrets: sending the secret `TOKEN` with POST [SERVER]/hook {\"to\":\"[SERVER]\"}: allowed by TOKEN"
                .to_owned(),
            "tell http: POST [SERVER]/hook: allowed by POST [SERVER]/hook".to_owned(),
            "elsewhere http: POST [SERVER]/hook: denied by no grant covers it".to_owned(),
            "script files: opening the folder `.` {\"access\":\"read and write\"}: allowed by write .".to_owned(),
            "script secrets: the secret `TOKEN` as the variable `T` of a program: allowed by TOKEN".to_owned(),
            format!(
                "script exec: running `env` {{\"arguments\":\"sh -c test -n \\\"$T\\\"\",\"digest\":\"sha256:[DIGEST]\",\"program\":\"{env}\"}}: allowed \
                 by env"
            ),
            "pack files: opening the folder `docs` {\"access\":\"read\"}: allowed by read docs".to_owned(),
            "pack files: listing files: allowed by read docs".to_owned(),
            "pack artifacts: publishing the artifact `site.tar.gz`: allowed by write".to_owned(),
        ]
    );
    let record = fs::read_dir(environment.workspace().join(".sluice/runs")).unwrap().next().unwrap().unwrap().path();
    let record = fs::read_to_string(record.join("events.jsonl")).unwrap();
    assert!(!record.contains("s3cr3t") && record.contains("\"event\":\"decision\""));
}

#[test]
fn decisions_are_shown_as_a_table() {
    let server = Server::start(&[FINE]);
    let environment = busy(&server);
    environment.write("docs/a.md", "# A\n");
    environment.sluice(&["run"]).exits_with(0);
    let show = |arguments: &[&str]| {
        let shown = environment.sluice(&[&["runs", "audit"], arguments].concat()).exits_with(0).stdout;
        shown.replace(&server.url(""), "http://localhost")
    };
    insta::assert_snapshot!(show(&["--step", "main/pack"]));
    insta::assert_snapshot!(show(&["--denied"]));
    assert_eq!(show(&["--denied", "--step", "main/pack"]), "nothing was denied\n");
    environment.sluice(&["runs", "audit", "--step", "nothing"]).exits_with(2);
    let all = value(&raw(&environment, &["runs", "audit", "--json"]));
    assert_eq!(all["decisions"].as_array().unwrap().len(), 10, "{all:#}");
    assert_eq!(all["decisions"][0]["plugin"], "notify");
    assert_eq!(all["decisions"][0]["times"], 1);
    assert_eq!(all["left-out"], json!([]));
}

#[test]
fn a_run_is_traced() {
    let environment = Environment::new();
    environment.write("sluice.yaml", "steps:\n  - {id: say, run: echo hello}\n");
    let quiet = environment.sluice(&["run"]).exits_with(0).stdout;
    assert!(!quiet.contains("allowed exec"), "{quiet}");
    let traced = environment.sluice(&["run", "--trace-caps"]).exits_with(0).stdout;
    assert!(traced.contains("[main/say] allowed exec: running `sh` (arguments: -"), "{traced}");
}

#[test]
fn a_record_cut_off_still_tells_what_was_decided() {
    let environment = Environment::new();
    environment.write("sluice.yaml", "steps:\n  - {id: say, run: echo hello}\n");
    environment.sluice(&["run"]).exits_with(0);
    let run = value(&raw(&environment, &["runs", "audit", "--json"]))["run"].as_str().unwrap().to_owned();
    let events = format!(".sluice/runs/{run}/events.jsonl");
    let text = environment.read(&events);
    let cut = text.find("step-finished").unwrap();
    environment.write(&events, &text[..cut]);
    let all = value(&raw(&environment, &["runs", "audit", "--json"]));
    let asked = all["decisions"].as_array().unwrap().iter().map(|decision| &decision["asked"]);
    assert!(asked.into_iter().any(|asked| asked == "running `sh`"), "{all:#}");
}

#[test]
fn grants_stand_in_the_plan_with_their_reasons() {
    let server = Server::start(&[FINE]);
    let environment = busy(&server);
    let shown = environment.sluice(&["plan", "--grants"]).exits_with(0).stdout;
    insta::assert_snapshot!(shown.replace(&server.url(""), "http://localhost"));
    let plan = value(&environment.sluice(&["plan", "--grants", "--json"]).exits_with(0));
    assert_eq!(
        plan["steps"][1]["grants"],
        json!([{"capability": "http", "grant": null, "declared": "delivers the message", "narrowed": true}])
    );
}

/// Two steps that have more than they use, one that fails, one that is skipped.
fn generous(server: &Server) -> Environment {
    let environment = Environment::new();
    environment.write("greet.wasm", guest("greet.wasm")).write(
        "workflows/nightly.yaml",
        format!(
            "\
# The nightly run.
jobs:
  main:
    steps:
      - {{id: where, run: printf {0}/hooks/1}}
      - id: tell # somebody
        uses: notify
        with: {{url: '${{{{ steps.where.outputs.stdout }}}}', format: json}}
        grants:
          http: # all of it
            - 'POST {0}/*'

      - id: greet
        uses: ./greet.wasm
        with: {{args: [ada]}}
        grants: {{files: [read .], exec: [git, make], http: ['GET https://example.com/*']}}
      - id: never
        if: ${{{{ false }}}}
        uses: notify
        with: {{url: '{0}/hooks/2'}}
        grants: {{http: ['POST {0}/*']}}
      - uses: exec
        with: {{program: 'true'}}
",
            server.url("")
        ),
    );
    environment
}

#[test]
fn a_patch_grants_what_was_used_and_the_run_still_passes() {
    let server = Server::start(&[FINE]);
    let environment = generous(&server);
    let ran = environment.sluice(&["run", "workflows/nightly.yaml"]).exits_with(0);
    assert!(
        ran.unwrapped().contains(
            "warning: used nothing of what their `grants` name: `main/greet` (http, exec); see `sluice grants learn`"
        ),
        "{}",
        ran.whole()
    );
    let learnt = environment.sluice(&["grants", "learn"]).exits_with(0);
    insta::assert_snapshot!(learnt.whole().replace(&server.url(""), "http://localhost"));
    environment.sluice(&["grants", "learn", "--last", "3", "-o", "less.patch"]).exits_with(0);
    assert_eq!(
        value(&environment.sluice(&["grants", "learn", "--json"]).exits_with(0))["proposals"][2],
        json!({
            "job": "main", "step": "greet", "capability": "exec", "granted": ["git", "make"], "proposed": [],
            "named": true,
        })
    );

    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(environment.workspace());
        assert!(git.status().unwrap().success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    git(&["apply", "--check", "less.patch"]);
    let mut patch = Command::new("patch");
    patch.args(["-s", "-p1", "-i", "less.patch"]).current_dir(environment.workspace());
    assert!(patch.status().unwrap().success());
    let changed = environment.sluice(&["grants", "learn"]).exits_with(2);
    assert!(changed.stderr.contains("run::other-workflow"), "{}", changed.stderr);
    let again = environment.sluice(&["run", "workflows/nightly.yaml"]).exits_with(0);
    assert!(!again.unwrapped().contains("warning:"), "{}", again.whole());
    let nothing = environment.sluice(&["grants", "learn"]).exits_with(0);
    assert_eq!(nothing.stdout, "", "{}", nothing.whole());
    assert!(nothing.stderr.contains("nothing to narrow in `workflows/nightly.yaml`"), "{}", nothing.stderr);
}

/// A run with an artifact, and a key.
fn signed() -> Environment {
    let environment = Environment::new();
    environment
        .write("dist/site/index.html", "one\n")
        .write("sluice.yaml", "inputs:\n  who: {default: ada}\nsteps:\n  - id: pack\n    uses: build\n    with: {files: [\"**\"], from: dist, name: site}\n");
    environment.sluice(&["keys", "new", "release.key"]).exits_with(0);
    environment
}

#[test]
fn a_receipt_is_checked_by_others_too() {
    let environment = signed();
    let file = |name: &str| environment.workspace().join(name);
    let mode = fs::metadata(file("release.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = environment.sluice(&["keys", "new", "release.key"]).exits_with(2);
    assert!(again.stderr.contains("no key is overwritten"), "{}", again.stderr);

    environment.sluice(&["run", "--receipt", "run.receipt", "--sign-key", "release.key"]).exits_with(0);
    let verified = raw(&environment, &["runs", "verify", "--receipt", "run.receipt", "--key", "release.key.pub"]);
    let verified = verified.exits_with(0).stdout;
    assert!(verified.contains("of this record; artifacts on this disk: 1"), "{verified}");

    // What openssl makes of it, from the specification of the envelope.
    let envelope: Value = serde_json::from_str(&environment.read("run.receipt")).unwrap();
    let base64 = |text: &Value| {
        environment.write("text.base64", text.as_str().unwrap());
        let arguments = ["base64", "-d", "-A", "-in", "text.base64"];
        Command::new("openssl").args(arguments).current_dir(environment.workspace()).output().unwrap().stdout
    };
    let payload = base64(&envelope["payload"]);
    let kind = envelope["payloadType"].as_str().unwrap();
    let signed = [format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).as_bytes(), &payload].concat();
    environment.write("signed", signed).write("signature", base64(&envelope["signatures"][0]["sig"]));
    let openssl = |arguments: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split(' ')).current_dir(environment.workspace());
        openssl.output().unwrap().status.success()
    };
    assert!(openssl("pkeyutl -verify -rawin -in signed -sigfile signature -pubin -inkey release.key.pub"));
    assert!(openssl("pkey -in release.key -pubout -out other.pub"));
    assert_eq!(environment.read("other.pub"), environment.read("release.key.pub"));

    let statement: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["subject"][0]["name"], "site.tar.gz");
    let predicate = &statement["predicate"];
    assert_eq!(predicate["inputs"], json!({ "who": "ada" }));
    assert_eq!(predicate["outcome"], "passed");
    assert_eq!(predicate["steps"][0]["outcome"], "passed");
    assert!(predicate["steps"][0]["grants"]["artifacts"].is_array(), "{predicate:#}");
    assert!(predicate["steps"][0]["outputs"].is_object(), "{predicate:#}");
    let hash = value(&raw(&environment, &["runs", "verify", "--json"]))["hash"].as_str().unwrap().to_owned();
    assert_eq!(format!("sha256:{}", predicate["record"]["digest"]["sha256"].as_str().unwrap()), hash);
}

#[test]
fn a_receipt_that_does_not_fit_is_refused() {
    let environment = signed();
    environment.sluice(&["run"]).exits_with(0);
    environment.sluice(&["runs", "sign", "--key", "release.key", "-o", "run.receipt"]).exits_with(0);
    let verify = |receipt: &str, key: &str, code: i32| {
        let ran = environment.sluice(&["runs", "verify", "--receipt", receipt, "--key", key]).exits_with(code);
        ran.unwrapped()
    };
    verify("run.receipt", "release.key.pub", 0);

    // A key made by somebody else.
    let status = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out", "other.key"])
        .current_dir(environment.workspace())
        .status();
    assert!(status.unwrap().success());
    let other = environment.workspace().join("other.key");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o640)).unwrap();
    let sign = ["runs", "sign", "--key", "other.key", "-o", "other.receipt"];
    let loose = environment.sluice(&sign).exits_with(2);
    assert!(loose.unwrapped().contains("others may read or write it: its mode is 640"), "{}", loose.whole());
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    environment.sluice(&sign).exits_with(0);
    let refused = verify("other.receipt", "release.key.pub", 1);
    assert!(refused.contains("no signature in it is of this key"), "{refused}");

    let text = environment.read("run.receipt");
    let mut envelope: Value = serde_json::from_str(&text).unwrap();
    let payload = envelope["payload"].as_str().unwrap().replacen('A', "B", 1);
    envelope["payload"] = payload.into();
    environment.write("forged.receipt", envelope.to_string());
    verify("forged.receipt", "release.key.pub", 1);
    environment.write("garbage.receipt", "{}");
    verify("garbage.receipt", "release.key.pub", 1);
    verify("run.receipt", "release.key", 2);

    // An artifact that was changed.
    let artifacts = environment.workspace().join(".sluice/artifacts/sha256");
    let mut artifacts = fs::read_dir(artifacts).unwrap().map(|entry| entry.unwrap().path());
    let artifact = artifacts.find(|path| path.extension().is_none()).unwrap();
    let bytes = fs::read(&artifact).unwrap();
    fs::write(&artifact, "planted").unwrap();
    let refused = verify("run.receipt", "release.key.pub", 1);
    assert!(refused.contains("the artifact \"site.tar.gz\": it has the digest"), "{refused}");
    fs::write(&artifact, bytes).unwrap();

    // The receipt of another run.
    environment.sluice(&["run"]).exits_with(0);
    let refused = verify("run.receipt", "release.key.pub", 1);
    assert!(refused.contains("it is of run") && refused.contains("another hash"), "{refused}");
    environment.sluice(&["run", "--receipt", "x"]).exits_with(2);
    let before = environment.sluice(&["run", "--receipt", "x", "--sign-key", "missing.key"]).exits_with(2);
    assert!(before.stderr.contains("host::key") && before.stdout.is_empty(), "{}", before.whole());
}
