//! How a plan differs from another, in words.

use indexmap::IndexMap;
use serde_json::Value;
use sluice_plan::Difference;
use sluice_workflow::workflow::Hook;

/// Longer values are cut in messages, in characters.
const MAX_SHOWN: usize = 100;

/// What has changed at each step, job or other place; the documents have `plan`, and `git` if that counts.
pub fn by_place(differences: &[Difference]) -> IndexMap<String, Vec<String>> {
    let mut places: IndexMap<String, Vec<String>> = IndexMap::new();
    for difference in differences {
        let (place, rest) = place(&difference.path);
        places.entry(place).or_default().push(change(&rest.join("."), difference));
    }
    places
}

fn is_hook(name: &str) -> bool {
    Hook::ALL.iter().any(|hook| hook.name() == name)
}

/// Whose difference it is, and where there.
fn place(path: &[String]) -> (String, &[String]) {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["plan", "jobs", job, "steps", step, ..] if *step != "order" => (format!("step `{job}/{step}`"), &path[5..]),
        ["plan", hook, "steps", step, ..] if is_hook(hook) && *step != "order" => {
            (format!("step `{hook}/{step}`"), &path[4..])
        }
        ["plan", "jobs", _, "cells", cell, "steps", step, ..] if *step != "order" => {
            (format!("step `{cell}/{step}`"), &path[7..])
        }
        ["plan", "jobs", job, ..] if path.len() > 3 || *job != "order" => (format!("job `{job}`"), &path[3..]),
        ["plan", hook, ..] if is_hook(hook) => (format!("`{hook}`"), &path[2..]),
        ["plan", "policy", ..] => ("the policy".to_owned(), &path[2..]),
        ["plan", ..] => ("the workflow".to_owned(), &path[1..]),
        ["git", ..] => ("the repository".to_owned(), path),
        _ => ("the plan".to_owned(), path),
    }
}

/// `digest: sha256:0123 -> sha256:4567`
fn change(at: &str, difference: &Difference) -> String {
    let at = if at.is_empty() { String::new() } else { format!("{at}: ") };
    match (&difference.old, &difference.new) {
        (Some(old), Some(new)) => format!("{at}{} -> {}", shown(old), shown(new)),
        (None, Some(_)) if at.is_empty() => "it is new".to_owned(),
        (_, None) if at.is_empty() => "it is gone".to_owned(),
        (None, new) => format!("{at}nothing -> {}", new.as_ref().map(shown).unwrap_or_default()),
        (Some(old), None) => format!("{at}{} -> nothing", shown(old)),
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.starts_with("sha256:") => text.chars().take("sha256:".len() + 12).collect(),
        other => other.to_string(),
    };
    if text.chars().count() <= MAX_SHOWN {
        return text;
    }
    let cut: String = text.chars().take(MAX_SHOWN).collect();
    format!("{cut}...")
}
