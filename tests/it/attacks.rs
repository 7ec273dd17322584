//! Two attacks that happened, done again: `docs/security.md` tells the story.

use std::fs;
use std::process::Command;

use crate::environment::{Environment, guest, repository};
use crate::registry::Registry;
use crate::server::{OK, Server};

const CANARY: &str = "canary-2f0b7a51-sings";

/// A repository with keys, variables and secrets worth stealing, and a thief's server.
fn victim(server: &Server) -> Environment {
    let mut environment = Environment::new();
    fs::create_dir_all(environment.home().join(".ssh")).unwrap();
    fs::write(environment.home().join(".ssh/id_ed25519"), CANARY).unwrap();
    environment
        .write("src/app.py", "password = input()\n")
        .write("src/master", &server.address)
        .write(".env", CANARY)
        .write(".git/config", format!("[remote]\n\turl = https://{CANARY}@example.com\n"))
        .write(".git/hooks/keep", "");
    environment.variable("AWS_SECRET_ACCESS_KEY", CANARY).variable("SLUICE_SECRET_CANARY", CANARY);
    environment
}

fn workflow(reference: &str) -> String {
    format!("steps:\n  - id: scan\n    uses: {reference}\n    grants: {{files: [read src]}}\n")
}

/// March 2026: the tags of a scanner were moved to copies that steal.
#[test]
fn a_scanner_is_replaced_under_the_same_tag() {
    let Some(registry) = Registry::start() else { return };
    let server = Server::start(&[OK]);
    let environment = victim(&server);
    let reference = registry.reference("acme/scanner:v1");
    let push = |name: &str| {
        environment.write("pushed.wasm", guest(name));
        environment.sluice(&["plugin", "push", "pushed.wasm", &reference]).exits_with(0);
    };
    push("scanner.wasm");
    environment.write("sluice.yaml", workflow(&reference));
    environment.sluice(&["plugin", "add", &reference]).exits_with(0);
    let ran = environment.sluice(&["run", "--plain"]).exits_with(0);
    assert!(ran.stdout.contains("finding: src/app.py"), "{}", ran.whole());

    // The tag moves. What was accepted is what runs, on this machine and on one that has nothing cached.
    push("thief.wasm");
    for _ in 0..2 {
        let ran = environment.sluice(&["run", "--plain"]).exits_with(0);
        assert!(ran.stdout.contains("finding: src/app.py") && !ran.stdout.contains("loot"), "{}", ran.whole());
        let cache = environment.workspace().join("../cache/sluice/plugins");
        fs::remove_dir_all(cache).unwrap();
    }

    // Somebody updates without looking, since it asks for no more. It has what the scanner had: the sources, to read.
    let lock = environment.read("sluice.lock");
    environment.sluice(&["plugin", "update"]).exits_with(0);
    assert_ne!(environment.read("sluice.lock"), lock);
    let ran = environment.sluice(&["run", "--plain"]);
    assert!(ran.stdout.contains("finding: src/app.py"), "{}", ran.whole());
    assert!(ran.stdout.contains("loot: \n") && ran.stdout.contains("hidden: 0"), "it found nothing: {}", ran.whole());
    assert!(server.requests().is_empty(), "it told nobody");
    assert!(!environment.workspace().join(".git/hooks/post-checkout").exists());
    assert!(!environment.workspace().join("src/evil.sh").exists());
    let denied = environment.sluice(&["runs", "audit", "--denied"]).exits_with(0);
    assert!(denied.stdout.contains(&server.address), "what it tried is on record: {}", denied.whole());
}

/// March 2025: an action printed the memory of the runner, twice encoded.
#[test]
fn an_action_prints_the_memory_of_the_runner() {
    let server = Server::start(&[OK]);
    let environment = victim(&server);
    let script = r#"
for place in /proc/[0-9]*; do
  { cat $place/environ $place/cmdline; dd if=$place/mem bs=4096 count=64; head -c 100000 $place/maps; } 2>/dev/null || true
done | grep -a -o 'canary-[0-9a-z-]*' | base64 -w0 | base64 -w0 || true; echo
env | base64 -w0 | base64 -w0; echo
cat ~/.ssh/id_ed25519 "$HOME/../../home/.ssh/id_ed25519" 2>/dev/null | base64 -w0 | base64 -w0 || true; echo
"#;
    let indented: String = script.lines().map(|line| format!("      {line}\n")).collect();
    environment.write(
        "sluice.yaml",
        format!(
            "steps:\n  - id: uses-it\n    run: test -n \"$TOKEN\"; echo used\n    with: {{secret-env: {{TOKEN: CANARY}}}}\n  - id: \
             thief\n    grants: {{files: [read src]}}\n    run: |\n{indented}"
        ),
    );
    let ran = environment.sluice(&["run", "--plain"]).exits_with(0);
    assert!(ran.stdout.contains("used"), "{}", ran.whole());
    let said: String = ran
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("[main/thief] "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(!decoded_twice(&said).contains(CANARY) && !ran.whole().contains(CANARY), "{}", decoded_twice(&said));
    assert!(decoded_twice(&said).contains("PATH="), "the thief did what it could: {}", ran.whole());

    // The same as a plugin: there is no such file.
    environment.write("plugins/thief.wasm", guest("thief.wasm")).write("sluice.yaml", workflow("./plugins/thief.wasm"));
    let ran = environment.sluice(&["run", "--plain"]);
    assert!(ran.stdout.contains("loot: \n"), "{}", ran.whole());
    assert!(server.requests().is_empty());
}

/// What the thief's master would see.
fn decoded_twice(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = String::new();
    // Each pipe of the thief ends where its text stops being one.
    for line in text.split_inclusive('\n') {
        fs::write(folder.path().join("line"), line).unwrap();
        let decode = "base64 -d -i line 2>/dev/null | base64 -d -i 2>/dev/null || true";
        let output = Command::new("sh").args(["-c", decode]).current_dir(folder.path()).output().unwrap();
        whole.push_str(&String::from_utf8_lossy(&output.stdout));
    }
    whole
}

#[test]
fn two_steps_differ_in_one_grant() {
    let text = fs::read_to_string(repository().join("docs/security.md")).unwrap();
    let workflow = text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let server = Server::start(&[OK]);
    let environment = Environment::new();
    environment.write("sluice.yaml", workflow);
    let ran = environment.sluice(&["run", "--plain", "-i", &format!("url={}", server.url("/"))]).exits_with(1);
    assert!(ran.stdout.contains("[main/tells] passed"), "{}", ran.whole());
    let said = ran.unwrapped().replace("│ ", "");
    assert!(said.contains(&format!("the host denied POST {}", server.url("/"))), "{}", ran.whole());
    assert!(said.contains("the step was granted nothing of `http`"), "{}", ran.whole());
    assert_eq!(server.requests().len(), 1);
}
