//! Secrets that are used unseen, and those that are seen: what the plan says, what a run does, and that no value is anywhere.

use std::fs;
use std::path::Path;

use crate::environment::{Environment, Ran, guest};
use crate::server::{OK, Server};

const KEY: &str = "s1gning/key? with: odd-letters";

/// The value in the forms in which it could be found in a text or a file.
fn forms(value: &str) -> Vec<String> {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent = |plain: fn(u8) -> bool| -> String {
        let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        value.bytes().map(one).collect()
    };
    let upper = hex.to_uppercase();
    let reversed = value.chars().rev().collect();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut forms = vec![value.to_owned(), percent(unreserved), value.replace('/', "\\/"), hex, upper, reversed];
    forms.extend((0..3).map(|offset| base64_within(value, offset)));
    forms
}

/// The letters of a base64 text that depend on nothing but the value, if it begins `offset` bytes after a group of three.
fn base64_within(value: &str, offset: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = [&vec![0; offset], value.as_bytes()].concat();
    let bit = |at: usize| usize::from(bytes[at / 8] >> (7 - at % 8) & 1);
    let letters =
        ((offset * 8).div_ceil(6)..bytes.len() * 8 / 6).map(|six| (0..6).fold(0, |n, i| n << 1 | bit(six * 6 + i)));
    letters.map(|six| char::from(ALPHABET[six])).collect()
}

/// No form of the value is in what was printed, in the record with its artifacts, or anywhere else in the workspace.
fn nowhere(environment: &Environment, ran: &Ran, values: &[&str]) {
    let forms: Vec<String> = values.iter().flat_map(|value| forms(value)).collect();
    let clean = |place: &str, bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        for form in &forms {
            assert!(!text.contains(form), "`{form}` is in {place}: {text}");
        }
    };
    clean("the output", ran.whole().as_bytes());
    fn walk(folder: &Path, look: &dyn Fn(&str, &[u8])) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| {
                look("a name", path.to_string_lossy().as_bytes());
                if path.is_dir() {
                    return walk(&path, look);
                }
                look(&path.display().to_string(), &fs::read(&path).unwrap());
                1
            })
            .sum()
    }
    let looked_at = walk(&environment.workspace().join(".sluice"), &clean);
    assert!(looked_at > 0, "there is a record");
}

fn workspace(workflow: &str) -> Environment {
    let mut environment = Environment::new();
    environment.write("seer.wasm", guest("seer.wasm")).write("sluice.yaml", workflow);
    environment.variable("SLUICE_SECRET_SIGNING_KEY", KEY);
    environment
}

fn seer(leave: &str) -> Environment {
    workspace(&format!(
        "steps:\n  - id: sign\n    uses: ./seer.wasm\n    with: {{leave: {leave}}}\n    grants:\n      secrets: [\"SIGNING_KEY reveal\"]\n"
    ))
}

#[test]
fn a_plugin_that_wants_to_see_a_secret_is_refused_unless_the_step_says_so() {
    let environment = workspace("steps:\n  - uses: ./seer.wasm\n");
    let ran = environment.sluice(&["run"]).exits_with(2);
    insta::assert_snapshot!(ran.whole(), @r#"
    exit code: 2
    ----- stderr
    plan::reveal-not-granted

      × plugin `seer` wants to see the value of the secret `SIGNING_KEY`, which step `step-1` does not grant
       ╭─[sluice.yaml:2:11]
     1 │ steps:
     2 │   - uses: ./seer.wasm
       ·           ─────┬─────
       ·                ╰── its reason: signs with it, which no host can do for it
       ╰────
      help: if the plugin should get the value, say so in the step:
                grants:
                  secrets: ["SIGNING_KEY reveal"]
            if it can do without, `secrets: ["SIGNING_KEY"]` lets it use the secret unseen
    "#);
    let plan = environment.sluice(&["plan"]).exits_with(2);
    assert_eq!(plan.stderr, ran.stderr);
    assert!(!environment.workspace().join(".sluice").exists());
    let told = environment.sluice(&["explain", "plan::reveal-not-granted"]).exits_with(0);
    assert!(told.stdout.contains("SIGNING_KEY reveal"), "{}", told.whole());
    // Using it unseen can be granted instead; this plugin then fails.
    let environment = workspace("steps:\n  - uses: ./seer.wasm\n    grants: {secrets: [SIGNING_KEY]}\n");
    let ran = environment.sluice(&["run", "--plain"]).exits_with(1);
    assert!(ran.unwrapped().contains("the host denied revealing the secret `SIGNING_KEY`"), "{}", ran.whole());
    nowhere(&environment, &ran, &[KEY]);
}

#[test]
fn the_plan_is_loud_about_a_secret_that_is_revealed() {
    let environment = workspace(
        "steps:\n  - id: sign\n    uses: ./seer.wasm\n    grants: {secrets: [\"SIGNING_KEY reveal\"]}\n  - run: echo $N $KEY\n    \
         env: {N: \"${{ steps.sign.outputs.length }}\"}\n    with:\n      secret-env: {KEY: SIGNING_KEY}\n",
    );
    let plan = environment.sluice(&["plan"]).exits_with(0);
    for line in [
        "      REVEALS  SIGNING_KEY to the plugin\n",
        "      grants   secrets: SIGNING_KEY reveal\n",
        "      note     the value of `SIGNING_KEY` can be given to `sh`, as a variable\n",
        "      note     reads outputs of `sign`, which can see `SIGNING_KEY`\n",
    ] {
        assert!(plan.stdout.contains(line), "{line}{}", plan.whole());
    }
    let red = environment.sluice(&["plan", "--color", "always"]).exits_with(0);
    assert!(red.stdout.contains("\u{1b}[1m\u{1b}[31mREVEALS  SIGNING_KEY to the plugin"), "{:?}", red.stdout);
    let json = environment.sluice(&["plan", "--json"]).exits_with(0);
    assert!(json.stdout.contains("\"SIGNING_KEY reveal\""), "{}", json.stdout);
}

#[test]
fn a_step_that_saw_a_secret_is_marked_and_what_it_says_is_masked() {
    for leave in ["nothing", "log", "output"] {
        let environment = seer(leave);
        let ran = environment.sluice(&["run", "--json"]).exits_with(0);
        let events = ran.events();
        let of = |name: &str| events.iter().find(|event| event["event"] == name).unwrap();
        assert_eq!((&of("secret-seen")["secret"], &of("secret-seen")["by"]), (&"SIGNING_KEY".into(), &"plugin".into()));
        assert_eq!(of("step-finished")["tainted"], serde_json::json!(["SIGNING_KEY"]));
        assert_eq!(of("step-finished")["outputs"]["length"], KEY.len());
        nowhere(&environment, &ran, &[KEY]);
    }
    let environment = seer("log");
    let ran = environment.sluice(&["run"]).exits_with(0);
    assert!(ran.unwrapped().contains("the plugin sees the secret SIGNING_KEY"), "{}", ran.whole());
}

#[test]
fn an_artifact_with_a_secret_fails_the_step_and_is_not_published() {
    for leave in ["artifact", "encoded"] {
        let environment = seer(leave);
        let ran = environment.sluice(&["run"]).exits_with(1);
        let told = ran.unwrapped();
        assert!(told.contains("run::secret-leak"), "{}", ran.whole());
        assert!(
            told.contains(
                "the artifact `signed.txt` of plugin `./seer.wasm` holds the value of the secret `SIGNING_KEY`"
            ),
            "{}",
            ran.whole()
        );
        nowhere(&environment, &ran, &[KEY]);
    }
}

#[test]
fn a_program_that_gets_a_secret_taints_its_step() {
    let environment =
        workspace("steps:\n  - run: echo \"<$KEY>\"\n    with: {secret-env: {KEY: SIGNING_KEY}}\n  - run: echo free\n");
    let ran = environment.sluice(&["run", "--json"]).exits_with(0);
    let events = ran.events();
    let finished: Vec<_> = events.iter().filter(|event| event["event"] == "step-finished").collect();
    assert_eq!(finished[0]["tainted"], serde_json::json!(["SIGNING_KEY"]));
    assert!(finished[1].get("tainted").is_none());
    let seen: Vec<_> = events.iter().filter(|event| event["event"] == "secret-seen").collect();
    assert_eq!((seen.len(), &seen[0]["by"]), (1, &"program".into()));
    nowhere(&environment, &ran, &[KEY]);
    // The taint is still there when the run goes on.
    let resumed = environment.sluice(&["resume", "--json"]);
    let reused: Vec<_> = resumed.stdout.lines().filter(|line| line.contains("step-reused")).collect();
    assert!(reused.is_empty() || reused[0].contains("\"tainted\":[\"SIGNING_KEY\"]"), "{}", resumed.whole());
}

/// The whole URL, a user's password and a token, towards a server that says all of it back, and one that sends it away.
#[test]
fn a_webhook_in_a_secret_is_nowhere_to_be_found() {
    let password = "correct-horse-battery";
    for status in ["200 OK", "302 Found\r\nLocation: http://127.0.0.1:1/elsewhere", "404 Not Found"] {
        let status = status.to_owned();
        let server = Server::with(move |request| {
            let back = format!("{} {:?}", request.path, request.headers);
            format!("{status}\r\nX-Back: {back}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{back}", back.len())
        });
        let mut environment = Environment::new();
        environment.write(
            "sluice.yaml",
            "steps:\n  - uses: notify\n    with: {url-secret: HOOK, user: ci, password-secret: PASSWORD}\n    grants:\n      \
             http: [\"POST secret:HOOK private\"]\n",
        );
        let path = "/services/T024BE7LD/dont-show-me-to-anybody";
        let url = server.url(path);
        environment.variable("SLUICE_SECRET_HOOK", &url).variable("SLUICE_SECRET_PASSWORD", password);
        let ran = environment.sluice(&["run", "--plain"]);
        let requests = server.requests();
        assert_eq!((requests.len(), requests[0].path.as_str()), (1, path), "{}", ran.whole());
        // printf %s ci:correct-horse-battery | base64
        assert_eq!(requests[0].header("authorization"), Some("Basic Y2k6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"));
        assert!(ran.whole().contains("the webhook in the secret `HOOK`"), "{}", ran.whole());
        nowhere(&environment, &ran, &[&url, path, password, server.address.as_str()]);
    }
}

/// A secret is kept to its origin, and a grant of one URL does not reach another.
#[test]
fn a_token_that_is_kept_to_an_origin_goes_nowhere_else() {
    let (here, there) = (Server::start(&[OK]), Server::start(&[OK]));
    let run = |to: &Server, bound: &Server| {
        let mut environment = Environment::new();
        environment.write(
            "sluice.yaml",
            format!(
                "steps:\n  - uses: notify\n    with: {{url: \"{}\", token-secret: TOKEN, attempts: 1}}\n    grants:\n      \
                 secrets: [\"TOKEN @ {}\"]\n",
                to.url("/hook"),
                bound.url("")
            ),
        );
        environment.variable("SLUICE_SECRET_TOKEN", "correct-horse-battery");
        let ran = environment.sluice(&["run"]);
        nowhere(&environment, &ran, &["correct-horse-battery"]);
        ran
    };
    run(&here, &here).exits_with(0);
    assert_eq!(here.requests()[0].header("authorization"), Some("Bearer correct-horse-battery"));
    let denied = run(&there, &here).exits_with(1);
    let told = denied.unwrapped();
    assert!(told.contains("the host denied sending the secret `TOKEN` with POST"), "{}", denied.whole());
    assert!(told.contains("it is kept to other origins"), "{}", denied.whole());
    assert!(there.requests().is_empty());
}
