//! `plugin.yaml` -> [`Manifest`]. The SDK runs this when a plugin is compiled, the host when one is loaded.

use serde_json::Value;

use super::{Declaration, MAX_BYTES, Manifest, codes, schema};
use crate::grant::{Capability, Grant, exec_spellings};
use crate::kind::Kind;
use crate::problem::Problem;
use crate::span::{Source, Span};
use crate::suggest;
use crate::yaml::{self, Checker, Dialect, Key, Node, field};

const DIALECT: Dialect = Dialect {
    syntax: codes::YAML,
    too_large: codes::TOO_LARGE,
    empty: codes::EMPTY,
    unknown_field: codes::UNKNOWN_FIELD,
    missing_field: codes::MISSING_FIELD,
    wrong_type: codes::WRONG_TYPE,
    max_bytes: MAX_BYTES,
};

const FIELDS: [&str; 7] = ["name", "version", "description", "kinds", "inputs", "outputs", "capabilities"];

/// Longest name, in bytes.
const MAX_NAME: usize = 64;

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// All problems, in source order, each within `source`.
    pub fn parse(source: &Source) -> Result<Self, Vec<Problem>> {
        let node = yaml::parse(source, &DIALECT)?;
        let mut check = Checker::new(&DIALECT);
        let manifest = manifest(&node, &mut check);
        let mut problems = check.problems;
        match manifest {
            Some(manifest) if problems.is_empty() => Ok(manifest),
            _ => {
                problems.sort_by_key(Problem::position);
                Err(problems.into_iter().map(|problem| problem.within(source)).collect())
            }
        }
    }
}

fn manifest(node: &Node, check: &mut Checker<'_>) -> Option<Manifest> {
    let fields = check.fields(node, "the manifest", "a manifest", &FIELDS)?;
    for (name, example) in [
        ("name", "name: my-plugin"),
        ("version", "version: 0.1.0"),
        ("description", "description: Says what it does."),
        ("kinds", "kinds: [task]"),
    ] {
        if field(fields, name).is_none() {
            let start = Span::new(node.span.start, node.span.start);
            check.missing(
                start,
                format!("the manifest has no `{name}`"),
                "missing in this manifest",
                &format!("add `{example}`"),
            );
        }
    }
    let name = field(fields, "name").and_then(|node| name(node, check));
    let version = field(fields, "version").and_then(|node| version(node, check));
    let description = field(fields, "description").and_then(|node| described(node, "`description`", check));
    let kinds = field(fields, "kinds").map(|node| kinds(node, check));
    let inputs = field(fields, "inputs").map_or_else(schema::empty, |node| schema::object(node, "inputs", check));
    let outputs = field(fields, "outputs").map_or_else(schema::empty, |node| schema::object(node, "outputs", check));
    let capabilities = field(fields, "capabilities").map(|node| capabilities(node, check)).unwrap_or_default();
    check_defaults(fields, check);
    Some(Manifest {
        name: name?,
        version: version?,
        description: description?,
        kinds: kinds?,
        inputs,
        outputs,
        capabilities,
    })
}

pub(crate) fn name(node: &Node, check: &mut Checker<'_>) -> Option<String> {
    let name = check.text(node, "`name`")?;
    let valid = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !valid {
        check.report(
            Problem::new(codes::NAME, format!("`{name}` is no name for a plugin"))
                .at(node.span, "names have lowercase letters, digits and `-`, and begin with a letter")
                .help(format!("at most {MAX_NAME} bytes, for example `name: my-plugin`")),
        );
    }
    Some(name.to_owned())
}

pub(crate) fn version(node: &Node, check: &mut Checker<'_>) -> Option<semver::Version> {
    let text = match node.as_str() {
        Some(text) => text.to_owned(),
        // `1.0` reads as a number; the message about the version says more than one about types.
        None => node.to_json().to_string(),
    };
    match semver::Version::parse(&text) {
        Ok(version) => Some(version),
        Err(error) => {
            check.report(
                Problem::new(codes::VERSION, format!("`{text}` is no version"))
                    .at(node.span, error.to_string())
                    .help("versions have three numbers, as in `version: 0.1.0` (https://semver.org)"),
            );
            None
        }
    }
}

fn described(node: &Node, what: &str, check: &mut Checker<'_>) -> Option<String> {
    let text = check.text(node, what)?.trim();
    if text.is_empty() {
        check.report(Problem::new(codes::MISSING_FIELD, format!("{what} is empty")).at(node.span, "people read this"));
    }
    Some(text.to_owned())
}

pub(crate) fn kinds(node: &Node, check: &mut Checker<'_>) -> Vec<Kind> {
    let known = Kind::ALL.map(Kind::as_str);
    let mut kinds = Vec::new();
    let names = check.texts(node, "`kinds`");
    if names.is_empty() && matches!(node.value, yaml::NodeValue::Sequence(_)) {
        check.report(Problem::new(codes::KIND, "`kinds` is empty").at(node.span, "a plugin has at least one kind"));
    }
    for (name, span) in names {
        match name.parse() {
            Ok(kind) if kinds.contains(&kind) => {
                check.report(
                    Problem::new(codes::KIND, format!("the kind `{name}` is named twice")).at(span, "named before"),
                );
            }
            Ok(kind) => kinds.push(kind),
            Err(()) => {
                let help = match suggest::closest(name, known) {
                    Some(kind) => format!("a kind with a similar name exists: `{kind}`"),
                    None => format!("kinds: {}", suggest::list(known)),
                };
                check.report(
                    Problem::new(codes::KIND, format!("unknown kind `{name}`"))
                        .at(span, "not a kind of plugin")
                        .help(help),
                );
            }
        }
    }
    kinds
}

pub(crate) fn capabilities(node: &Node, check: &mut Checker<'_>) -> Vec<Declaration> {
    let items = check.sequence(node, "`capabilities`").unwrap_or_default();
    items.iter().filter_map(|node| declaration(node, check)).collect()
}

fn declaration(node: &Node, check: &mut Checker<'_>) -> Option<Declaration> {
    let known: Vec<&str> = Capability::ALL.into_iter().map(Capability::as_str).chain(["reason"]).collect();
    let entries = check.fields(node, "a capability", "a declared capability", &known)?;
    let reason = match field(entries, "reason") {
        Some(node) => described(node, "`reason`", check).unwrap_or_default(),
        None => {
            check.missing(
                node.span,
                "a capability has no `reason`",
                "declared here without a reason",
                "add `reason: ...`: people read it before they accept the plugin",
            );
            String::new()
        }
    };
    let named: Vec<(Capability, &Key, &Node)> =
        entries.iter().filter_map(|(key, node)| Some((Capability::parse(&key.name)?, key, node))).collect();
    let [(capability, key, grants)] = named.as_slice() else {
        // An unknown name has been reported already.
        if entries.iter().all(|(key, _)| known.contains(&key.name.as_str())) {
            let message = if named.is_empty() {
                "an entry of `capabilities` names no capability"
            } else {
                "an entry of `capabilities` names several"
            };
            check.report(
                Problem::new(codes::CAPABILITY, message)
                    .at(
                        named.get(1).map_or(node.span, |(_, key, _)| key.span),
                        "one capability and its reason in each entry",
                    )
                    .help("for example `- files: [\"read .\"]` with `reason: the files to check` below it"),
            );
        }
        return None;
    };
    let what = format!("`{}`", key.name);
    let spellings = match capability {
        Capability::Exec => exec_spellings(grants, &what, check),
        _ => check.texts(grants, &what).into_iter().map(|(text, span)| (text.to_owned(), span)).collect(),
    };
    if spellings.is_empty() {
        check.report(
            Problem::new(codes::CAPABILITY, format!("{what} grants nothing"))
                .at(grants.span, "an empty list")
                .help("remove the entry"),
        );
    }
    for (spelling, span) in &spellings {
        grant(*capability, spelling, *span, check);
    }
    let grants = spellings.into_iter().map(|(spelling, _)| spelling).collect();
    Some(Declaration { capability: *capability, grants, reason })
}

fn grant(capability: Capability, spelling: &str, span: Span, check: &mut Checker<'_>) {
    let problem = |message: String, label: String| Problem::new(codes::GRANT, message).at(span, label);
    if Declaration::is_template(spelling) {
        if spelling.matches("${{").count() > spelling.matches("}}").count() {
            check.report(problem(
                format!("`{spelling}` opens an expression and does not close it"),
                "no `}}` follows `${{`".into(),
            ));
        }
    } else if let Err(expected) = Grant::parse(capability, spelling) {
        check.report(problem(format!("`{spelling}` is no grant of `{capability}`"), expected));
    }
}

/// A default is filled in without being asked for, so at least its type must fit.
fn check_defaults(fields: &[(Key, Node)], check: &mut Checker<'_>) {
    let Some(properties) = field(fields, "inputs").and_then(|inputs| inputs.get("properties")) else { return };
    let yaml::NodeValue::Mapping(properties) = &properties.value else { return };
    for (key, property) in properties {
        let (Some(default), Some(kind)) = (property.get("default"), property.get("type").and_then(Node::as_str)) else {
            continue;
        };
        let value = default.to_json();
        let fits = match kind {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "null" => value == Value::Null,
            _ => true,
        };
        if !fits {
            let message = format!("the default of `{}` is {}, and its type is `{kind}`", key.name, default.describe());
            check.report(Problem::new(codes::SCHEMA, message).at(default.span, format!("not of the type `{kind}`")));
        }
    }
}

#[cfg(test)]
mod tests;
