//! `sluice list`

use std::path::Path;

use serde_json::{Value, json};
use sluice_workflow::workflow::Input;

use crate::args::JsonArgs;
use crate::output::Output;
use crate::{discover, exit, prepare};

pub fn run(args: &JsonArgs, from: &Path, output: &Output) -> u8 {
    let all = match discover::nearest(from) {
        Ok(all) => all,
        Err(problem) => {
            output.problems(&[problem]);
            return exit::REFUSED;
        }
    };
    let (mut text, mut entries) = (String::new(), Vec::new());
    for found in all {
        let file = found.display_name();
        let Ok(workflow) = prepare::parse(&found) else {
            text.push_str(&format!("{file}  (has problems: sluice check {})\n", found.stem()));
            entries.push(json!({"file": file, "valid": false}));
            continue;
        };
        text.push_str(&format!("{}  {file}\n", found.stem()));
        for (name, input) in &workflow.inputs {
            text.push_str(&format!("    -i {}\n", describe(name, input)));
        }
        let inputs: Vec<Value> = workflow.inputs.iter().map(|(name, input)| as_json(name, input)).collect();
        entries.push(json!({"file": file, "valid": true, "name": workflow.name, "inputs": inputs}));
    }
    if args.json {
        output.result(&format!("{:#}\n", Value::Array(entries)));
    } else {
        output.result(&text);
    }
    exit::PASSED
}

/// `who=world  (string) Whom to greet`
fn describe(name: &str, input: &Input) -> String {
    let value = match &input.default {
        None => "VALUE".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        Some(other) => other.to_string(),
    };
    let required = if input.default.is_none() { ", required" } else { "" };
    let options: Vec<String> =
        input.options.iter().map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned)).collect();
    let options = if options.is_empty() { String::new() } else { format!(": {}", options.join(" | ")) };
    let description = input.description.as_deref().map(|text| format!(" {text}")).unwrap_or_default();
    format!("{name}={value}  ({}{required}{options}){description}", input.kind.as_str())
}

fn as_json(name: &str, input: &Input) -> Value {
    json!({
        "name": name,
        "type": input.kind.as_str(),
        "default": input.default,
        "options": input.options,
        "description": input.description,
    })
}
