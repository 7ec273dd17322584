//! Rules about values, keys and anchors.

use std::collections::{BTreeSet, HashMap};

use super::*;
use crate::yaml::parse::{Kind, Role};

/// What YAML 1.1 reads as a boolean and YAML 1.2 as text, and spellings of `true` and `false` that few readers share.
const TRUTHY_WORDS: &[&str] =
    &["YES", "Yes", "yes", "NO", "No", "no", "ON", "On", "on", "OFF", "Off", "off", "TRUE", "True", "FALSE", "False"];

pub fn check(file: &File, found: &mut Vec<Finding>) {
    duplicate_keys(file, found);
    anchors(file, found);
    for (number, node) in file.yaml.nodes.iter().enumerate() {
        let Some(value) = node.plain() else { continue };
        // `on` is a key of GitHub's workflows, and their reader takes it as text.
        let root_key =
            node.role == Role::Key && node.parent.is_some_and(|parent| file.yaml.nodes[parent].role == Role::Root);
        if TRUTHY_WORDS.contains(&value) && !(root_key && value == "on") {
            let meant = matches!(value.to_ascii_lowercase().as_str(), "yes" | "on" | "true");
            found.push(
                Finding::new(
                    &TRUTHY,
                    node.range.clone(),
                    format!("`{value}` is a boolean for some readers and text for others"),
                )
                .help(format!("write `{meant}`, or `\"{value}\"` if it is text")),
            );
        }
        let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
        if node.role != Role::Key
            && digits.len() > 1
            && digits.starts_with('0')
            && digits.bytes().all(|b| matches!(b, b'0'..=b'7'))
        {
            let octal = digits.trim_start_matches('0');
            found.push(
                Finding::new(
                    &OCTAL,
                    node.range.clone(),
                    format!("`{value}` is octal for some readers and decimal for others"),
                )
                .help(format!("write `0o{octal}` for an octal number, or `\"{value}\"` for text")),
            );
        }
        if value.is_empty()
            && let Role::Value(key) = node.role
            && node.anchor == 0
            && number > 0
        {
            found.push(
                Finding::new(&EMPTY_VALUE, file.yaml.nodes[key].range.clone(), "the key has no value")
                    .help("write `null` if that is meant"),
            );
        }
    }
}

fn duplicate_keys(file: &File, found: &mut Vec<Finding>) {
    let mut seen: HashMap<(usize, &str), usize> = HashMap::new();
    for (number, node) in file.yaml.nodes.iter().enumerate() {
        let (Role::Key, Some(parent), Kind::Scalar { value, .. }) = (node.role, node.parent, &node.kind) else {
            continue;
        };
        // `<<` merges, and may do so twice.
        if node.plain() == Some("<<") {
            continue;
        }
        if let Some(first) = seen.insert((parent, value), number) {
            let line = file.lines.line(file.yaml.nodes[first].range.start);
            found.push(
                Finding::new(
                    &DUPLICATE_KEY,
                    node.range.clone(),
                    format!("key `{value}` is already there in line {line}"),
                )
                .help("remove or rename one of them: readers keep the last one, or refuse the file"),
            );
        }
    }
}

fn anchors(file: &File, found: &mut Vec<Finding>) {
    let text = file.text;
    for range in &file.yaml.undefined {
        let name = &text[range.clone()];
        found.push(
            Finding::new(&UNDEFINED_ALIAS, range.clone(), format!("no anchor for `{name}` stands before it"))
                .help(format!("put `&{}` at the value that is meant, or quote the `*`", name.trim_start_matches('*'))),
        );
    }
    // A document sees only its own anchors.
    let documents: Vec<usize> = file.yaml.documents.iter().skip(1).map(|document| document.start).collect();
    let document = |at: usize| documents.partition_point(|start| *start <= at);
    let mut anchors: Vec<(&str, std::ops::Range<usize>)> = Vec::new();
    let mut latest: HashMap<(usize, &str), usize> = HashMap::new();
    let mut used = BTreeSet::new();
    for token in file.tokens.iter().filter(|token| token.mark == Mark::Property) {
        let (word, of) = (&text[token.range.clone()], document(token.range.start));
        if let Some(name) = word.strip_prefix('&') {
            if latest.insert((of, name), anchors.len()).is_some() {
                let message = format!("anchor `{name}` replaces an earlier one");
                found.push(Finding::new(&DUPLICATE_ANCHOR, token.range.clone(), message).help("give it another name"));
            }
            anchors.push((name, token.range.clone()));
        } else if let Some(name) = word.strip_prefix('*') {
            match latest.get(&(of, name)) {
                Some(anchor) => _ = used.insert(*anchor),
                None => {
                    let message = format!("no anchor for `*{name}` stands before it");
                    found.push(
                        Finding::new(&UNDEFINED_ALIAS, token.range.clone(), message)
                            .help("anchors end with their document: `---` begins a new one"),
                    );
                }
            }
        }
    }
    if file.yaml.error.is_some() {
        return;
    }
    for (number, (name, range)) in anchors.iter().enumerate() {
        if !used.contains(&number) {
            found.push(Finding::new(&UNUSED_ANCHOR, range.clone(), format!("nothing refers to anchor `{name}`")));
        }
    }
}
