//! The README tells what is so.

use sluice_model::{Manifest, Source};
use sluice_plugin_scan::rules;
use sluice_sdk::Severity;

const README: &str = include_str!("../../README.md");
const MANIFEST: &str = include_str!("../../plugin.yaml");

#[test]
fn the_table_of_formats_is_the_table_of_rules() {
    let expected: Vec<String> = rules()
        .map(|rule| {
            let severity = if rule.severity == Severity::Error { "error" } else { "warning" };
            format!("| `{}` | {} | {severity} |", rule.id, rule.what)
        })
        .collect();
    let written: Vec<_> = README.lines().filter(|line| line.starts_with("| `secret/")).collect();
    assert_eq!(written, expected, "\n{}\n", expected.join("\n"));
    assert!(README.contains(&format!("{} formats", expected.len())), "it has {} formats", expected.len());
}

#[test]
fn inputs_outputs_and_capabilities_are_those_of_the_manifest() {
    let source = Source::new("plugin.yaml", MANIFEST);
    let manifest = Manifest::parse(&source).expect("the manifest is well-formed");
    let mut expected = Vec::new();
    for (name, input) in manifest.inputs["properties"].as_object().expect("inputs have properties") {
        let (default, description) =
            (&input["default"], input["description"].as_str().expect("every input is described"));
        expected.push(format!("| `{name}` | `{default}` | {description} |"));
    }
    for (name, output) in manifest.outputs["properties"].as_object().expect("outputs have properties") {
        expected.push(format!("| `{name}` | {} |", output["description"].as_str().expect("every output is described")));
    }
    for declared in &manifest.capabilities {
        expected.push(format!("| `{}: {:?}` | {} |", declared.capability, declared.grants, declared.reason));
    }
    for line in expected {
        assert!(README.lines().any(|written| written == line), "the README has no line\n{line}");
    }
}
