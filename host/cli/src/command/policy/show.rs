//! `sluice policy show`

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use sluice_model::Problem;
use sluice_plan::policy::Policies;

use crate::args::JsonArgs;
use crate::{discover, policy};

/// The policies that apply, as text or JSON.
pub fn show(args: &JsonArgs, from: &Path) -> Result<String, Vec<Problem>> {
    let nearest = discover::nearest(from).ok().and_then(|all| all.into_iter().next());
    let workspace = nearest.map_or_else(|| from.to_owned(), |found| found.workspace);
    let policies = policy::read(&workspace)?;
    if args.json {
        return Ok(format!("{:#}\n", as_json(&policies)));
    }
    let mut text = String::new();
    for layer in policies.layers() {
        let _ = writeln!(text, "{} of the {}", layer.source.name(), layer.owner.as_str());
        said(&mut text, &layer.to_json(), "  ");
    }
    let there = |name: &str| policies.layers().iter().any(|layer| layer.source.name() == name);
    for place in policy::places(&workspace).iter().filter(|place| !there(&place.name)) {
        let _ = writeln!(text, "{} of the {}\n  there is none", place.name, place.owner.as_str());
    }
    if let Some(digest) = policies.digest() {
        let _ = writeln!(text, "together {digest}");
    }
    Ok(text)
}

fn as_json(policies: &Policies) -> Value {
    let layers = policies
        .layers()
        .iter()
        .map(|layer| json!({"owner": layer.owner.as_str(), "file": layer.source.name(), "says": layer.to_json()}));
    json!({"layers": layers.collect::<Vec<_>>(), "digest": policies.digest()})
}

/// A line for each rule.
fn said(text: &mut String, rules: &Value, indent: &str) {
    let rules = rules.as_object().into_iter().flatten().collect::<Vec<_>>();
    if rules.is_empty() {
        let _ = writeln!(text, "{indent}nothing");
    }
    for (key, value) in rules {
        match (key.as_str(), value) {
            ("grants", grants) => said(text, grants, indent),
            ("for", Value::Array(sections)) => {
                for section in sections {
                    let _ = writeln!(text, "{indent}for {}", listed(&section["plugins"]));
                    let mut bounds = section.clone();
                    bounds.as_object_mut().map(|bounds| bounds.remove("plugins"));
                    said(text, &bounds, &format!("{indent}  "));
                }
            }
            (key, value) => {
                let _ = writeln!(text, "{indent}{key}: {}", listed(value));
            }
        }
    }
}

fn listed(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
