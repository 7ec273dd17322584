//! The schema for editors agrees with the parser.

use std::path::Path;

use serde_json::Value;
use sluice_model::{Source, yaml};

use crate::good;

fn json(text: &str) -> Value {
    let dialect = yaml::Dialect {
        syntax: "",
        too_large: "",
        empty: "",
        unknown_field: "",
        missing_field: "",
        wrong_type: "",
        max_bytes: 1 << 20,
    };
    yaml::parse(&Source::new("x", text), &dialect).expect("YAML").to_json()
}

#[test]
fn good_workflows_are_valid() {
    let validator = jsonschema::validator_for(&sluice_workflow::schema()).expect("a schema");
    let mut texts = vec![("FULL".to_owned(), good::FULL.to_owned())];
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows")).expect("the examples")
    {
        let path = entry.expect("an example").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            texts.push((path.display().to_string(), std::fs::read_to_string(&path).expect("a readable example")));
        }
    }
    for (name, text) in texts {
        let problems: Vec<String> =
            validator.iter_errors(&json(&text)).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(problems, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn bad_shapes_are_invalid() {
    let validator = jsonschema::validator_for(&sluice_workflow::schema()).expect("a schema");
    for text in [
        "{}",
        "steps: []",
        "nmae: x\nsteps: [{run: x}]",
        "steps: [{run: x}]\njobs: {a: {steps: [{run: x}]}}",
        "steps: [{run: x, uses: y}]",
        "steps: [{name: x}]",
        "steps: [{run: x, timeout: 10}]",
        "steps: [{run: x, timeout: 10 minutes}]",
        "steps: [{run: x, grants: {network: []}}]",
        "steps: [{run: x, limits: {memory: 64}}]",
        "steps: [{run: x, fail-on: warn}]",
        "inputs: {a: {type: strng}}\nsteps: [{run: x}]",
        "jobs: {a b: {steps: [{run: x}]}}",
        "jobs: {a: {}}",
        "jobs: {a: {approval: true, steps: [{run: x}]}}",
        "jobs: {a: {approval: {mesage: x}, steps: [{run: x}]}}",
        "jobs: {a: {checklist: {}, steps: [{run: x}]}}",
        "jobs: {a: {checklist: {g: {check: true, attest: x}}, steps: [{run: x}]}}",
        "env: {A: [1]}\nsteps: [{run: x}]",
        "jobs: {a: {services: {db: {run: x, if: y}}, steps: [{run: x}]}}",
        "jobs: {a: {services: {db: {run: x, port: 70000}}, steps: [{run: x}]}}",
        "jobs: {a: {services: {db: {run: x, ready: {timeout: 1s}}}, steps: [{run: x}]}}",
        "secrets: {A: {}}\nsteps: [{run: x}]",
        "secrets: {A: {env: X, file: y}}\nsteps: [{run: x}]",
        "secrets: {A: {vault: {path: x/data/y}}}\nsteps: [{run: x}]",
    ] {
        assert!(!validator.is_valid(&json(text)), "{text}");
        assert!(!sluice_workflow::parse(&Source::new("x", text)).1.is_empty(), "{text}");
    }
}

/// Every field of every mapping is in the schema with a description, and [`good::FULL`] uses each, so that the parser
/// knows it too.
#[test]
fn every_field_is_described_and_used() {
    let schema = sluice_workflow::schema();
    let mut fields = Vec::new();
    let definitions = schema["$defs"].as_object().expect("definitions");
    for mapping in definitions.values().chain([&schema]) {
        for (name, field) in mapping["properties"].as_object().expect("properties") {
            assert!(field["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            fields.push(name.as_str());
        }
    }
    assert_eq!(
        definitions.keys().collect::<Vec<_>>(),
        [
            "defaults",
            "input",
            "secret",
            "vault",
            "aws",
            "job",
            "approval",
            "gate",
            "service",
            "ready",
            "step",
            "wait-for",
            "retry",
            "failure",
            "limits",
            "requires",
            "retention",
            "concurrency"
        ]
    );
    for name in fields {
        let used = [format!("{name}:"), format!("\n{name}:")].iter().any(|key| good::FULL.contains(key.as_str()));
        assert!(used, "`{name}` is not in the full example");
    }
}
