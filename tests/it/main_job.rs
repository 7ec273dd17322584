//! The main job on a repository: it passes, and with faults put in it fails at the right lines.

use crate::environment::Environment;

const WORKFLOW: &str = "\
name: check
jobs:
  check:
    steps:
      - uses: lint
  secrets:
    steps:
      - uses: scan
";

fn good_repository() -> Environment {
    let environment = Environment::new();
    environment
        .write("workflows/ci.yaml", WORKFLOW)
        .write("src/main.py", "print('hello')\n")
        .write("config/app.yaml", "name: app\nport: 8080\n")
        .write(
            "Dockerfile",
            "FROM debian:12.5-slim\nWORKDIR /app\nCOPY src/ /app/\nUSER nobody\nCMD [\"python3\", \"main.py\"]\n",
        );
    environment
}

/// A key of the right shape, put together here so that no file of the repository holds one.
fn live_looking_key() -> String {
    ["AKIA", "Z7QW", "3MXN", "5PTL", "K2RV"].concat()
}

#[test]
fn a_good_repository_passes() {
    let environment = good_repository();
    let ran = environment.sluice(&["run", "-j", "1"]).exits_with(0);
    insta::assert_snapshot!("good_repository", ran.whole());
}

#[test]
fn faults_fail_at_the_right_lines() {
    let environment = good_repository();
    environment
        .write("Dockerfile", "FROM debian\nMAINTAINER somebody\nWORKDIR app\nUSER nobody\nCMD [\"true\"]\n")
        .write("config/broken.yaml", "name: app\nports: [80, 443\nother: 1\n")
        .write("src/settings.py", format!("REGION = 'eu'\nKEY = '{}'\n", live_looking_key()));
    let ran = environment.sluice(&["run", "-j", "1"]).exits_with(1);
    let output = format!("{}{}", ran.stdout, ran.stderr);
    for place in ["Dockerfile:1:", "Dockerfile:2:1", "Dockerfile:3:", "config/broken.yaml:", "src/settings.py:2:8"] {
        assert!(output.contains(place), "{place} is not in\n{output}");
    }
    for alias in ["DL3006", "DL4000", "DL3000"] {
        assert!(output.contains(alias), "{alias} is not in\n{output}");
    }
    assert!(!output.contains(&live_looking_key()), "the secret is printed");
    insta::assert_snapshot!("faults", ran.whole());
}

#[test]
fn fail_on_decides() {
    let environment = good_repository();
    environment.write("Dockerfile", "FROM debian:latest\nUSER nobody\nCMD [\"true\"]\n");
    let workflow = |fail_on: &str| format!("steps:\n  - uses: lint\n    fail-on: {fail_on}\n");
    for (fail_on, code) in [("never", 0), ("error", 0), ("warning", 1), ("info", 1)] {
        environment.write("one.yaml", workflow(fail_on));
        environment.sluice(&["run", "one.yaml"]).exits_with(code);
    }
}
