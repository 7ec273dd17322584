//! The contract is not shaped by Rust: lint plugins in Python and C, built from the same `wit/` by `just guests`, run like
//! any other.

use std::fs;
use std::path::PathBuf;

use crate::environment::{Environment, repository};

fn guest(name: &str) -> Option<Vec<u8>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    let path = target.join("guests").join(name);
    match fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            eprintln!("skipped: {name} is not built ({error}); `just guests` builds it where python3 is installed");
            assert!(std::env::var_os("CI").is_none(), "{name} must be built in CI");
            None
        }
    }
}

/// guest, file to check, its content, where the finding is, rule
const GUESTS: &[(&str, &str, &str, &str, &str)] = &[
    ("python-lint.wasm", "notes.txt", "fine\nçé TODO later\n", "notes.txt:2:4", "todo/nobody"),
    ("c-lint.wasm", "app.yaml", "name: x\n\tport: 1\n", "app.yaml:2:1", "yaml/tab"),
];

#[test]
fn guests_in_other_languages_run() {
    for (name, file, content, place, rule) in GUESTS {
        let Some(bytes) = guest(name) else { continue };
        let environment = Environment::new();
        environment
            .write(&format!("plugins/{name}"), bytes)
            .write(file, content)
            .write("sluice.yaml", format!("steps:\n  - uses: ./plugins/{name}\n    fail-on: warning\n"));
        let ran = environment.sluice(&["run"]).exits_with(1);
        assert!(ran.stdout.contains(place) && ran.stdout.contains(rule), "{name}: {}", ran.whole());
        environment.write(file, "name: x\n");
        environment.sluice(&["run"]).exits_with(0);
        let shown = environment.sluice(&["plugin", "show", &format!("./plugins/{name}")]).exits_with(0);
        assert!(shown.stdout.contains("sluice:plugin/types@1"), "{}", shown.whole());
    }
}

#[test]
fn guests_in_other_languages_are_denied_what_they_are_not_granted() {
    for (name, file, content, ..) in GUESTS {
        let Some(bytes) = guest(name) else { continue };
        let environment = Environment::new();
        environment.write(&format!("plugins/{name}"), bytes).write(&format!("secret/{file}"), content).write(
            "sluice.yaml",
            format!(
                "steps:\n  - uses: ./plugins/{name}\n    fail-on: warning\n    grants: {{files: [read plugins]}}\n"
            ),
        );
        let ran = environment.sluice(&["run", "--json"]);
        assert!(!ran.stdout.contains("secret/"), "{name} saw a file it was not granted: {}", ran.whole());
    }
}
