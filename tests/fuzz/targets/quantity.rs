//! Durations and sizes, wherever they stand: accepted, or a problem.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use sluice_model::Source;

fuzz_target!(|text: &str| {
    // JSON is YAML, so any text stands here as it is.
    let workflow = json!({
        "timeout": text,
        "requires": {"disk": text},
        "steps": [{"run": "true", "timeout": text, "limits": {"memory": text, "output": text}, "retry": {"delay": text}}],
    });
    let (workflow, problems) = sluice_workflow::parse(&Source::new("fuzz.yaml", workflow.to_string()));
    assert!(workflow.is_some() || !problems.is_empty());
});
