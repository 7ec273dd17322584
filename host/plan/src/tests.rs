//! Workflows in YAML against plugins made up on the spot; problems as people would read them.

mod accepted;
mod affected;
mod calls;
mod concurrency;
mod flags;
mod locked;
mod parts;
mod policy;
mod properties;
mod refused;
mod seen;
mod services;

use indexmap::IndexMap;
use serde_json::{Value, json};
use sluice_model::grant::Capability;
use sluice_model::manifest::Declaration;
use sluice_model::{Digest, Kind, Manifest, PluginRef, Problem, Source};

use crate::{Facts, Plan, PluginInfo, Plugins, SharedPolicies};

/// A plugin of the kind `task` that declares these grants and has some inputs.
pub fn plugin(name: &str, capabilities: &[(Capability, &[&str])]) -> PluginInfo {
    PluginInfo {
        reference: PluginRef::parse(name).unwrap(),
        digest: Digest::from_bytes([1; 32]),
        manifest: Some(Manifest {
            name: name.trim_start_matches("./").trim_end_matches(".wasm").to_owned(),
            version: semver::Version::new(1, 2, 3),
            description: "Does it.".to_owned(),
            kinds: vec![Kind::Task],
            inputs: json!({
                "type": "object",
                "properties": {
                    "url": {"type": "string", "description": "Where to send it"},
                    "paths": {"type": "array", "items": {"type": "string"}, "default": ["src"]},
                    "mode": {"enum": ["fast", "slow"], "default": "fast"},
                    "retry": {"type": "object", "properties": {"times": {"type": "integer", "minimum": 1}, "pause": {"type": "integer", "default": 5}}, "additionalProperties": false},
                },
                "additionalProperties": false,
            }),
            outputs: json!({"type": "object"}),
            capabilities: capabilities
                .iter()
                .map(|(capability, grants)| Declaration {
                    capability: *capability,
                    grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
                    reason: "needed for the work".to_owned(),
                })
                .collect(),
        }),
        exports: vec![Kind::Task],
        command: false,
        imports: vec!["wasi:cli/stdout@0.2.12".to_owned(), "sluice:plugin/types@1.0.0".to_owned()],
    }
}

pub fn plugins(infos: impl IntoIterator<Item = PluginInfo>) -> Plugins {
    infos.into_iter().map(|info| (info.reference.clone(), Ok(info))).collect()
}

pub fn facts() -> Facts {
    Facts {
        git: Some(json!({"sha": "0123abc", "branch": "main"})),
        run: json!({"id": "run-1"}),
        file_hashes: serde_json::Map::new(),
        changed: None,
        builtins: vec!["exec".to_owned(), "lint".to_owned(), "notify".to_owned()],
        unconfined: Some("not supported yet".to_owned()),
        all_ports: None,
    }
}

pub fn plan(yaml: &str, plugins: &Plugins) -> Result<Plan, Vec<Problem>> {
    let source = Source::new("test.yaml", yaml);
    let (workflow, problems) = sluice_workflow::parse(&source);
    assert_eq!(problems, []);
    crate::plan(&workflow.unwrap(), plugins, IndexMap::new(), facts(), &SharedPolicies::default())
}

/// The problems of a workflow that must have some; each must be one that `sluice explain` knows.
pub fn refuse(yaml: &str, plugins: &Plugins) -> String {
    let problems = plan(yaml, plugins).expect_err("the plan is refused");
    for problem in &problems {
        assert!(crate::CODES.iter().any(|explanation| explanation.code == problem.code), "{}", problem.code);
    }
    problems.iter().map(show).collect::<Vec<_>>().join("\n")
}

fn show(problem: &Problem) -> String {
    let mut text = format!("{}\n× {}\n", problem.code, problem.message);
    for label in &problem.labels {
        let source = problem.source.as_ref().expect("a problem has a source");
        let (line, column) = source.line_column(label.span.start);
        let marked = &source.text()[label.span.start..label.span.end];
        text += &format!("  {line}:{column} `{}`: {}\n", marked.lines().next().unwrap_or_default(), label.text);
    }
    if let Some(help) = &problem.help {
        text += &format!("help: {help}\n");
    }
    text
}

/// The inputs and grants of each step.
pub fn decided(plan: &Plan) -> Value {
    let step = |step: &crate::Step| json!({"inputs": step.decided.as_ref().map(|d| &d.inputs), "grants": step.decided.as_ref().map(|d| &d.grants)});
    plan.all_steps().map(step).collect()
}
