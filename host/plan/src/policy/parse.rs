//! Text -> [`Layer`].

use indexmap::IndexMap;
use sluice_model::grant::{Capability, exec_spellings};
use sluice_model::yaml::{self, Checker, Dialect, Key, Node, NodeValue, field};
use sluice_model::{Problem, Source, Span};

use super::{Bounds, GrantRule, Layer, Listed, Marked, Owner, PluginRule, Section, Switch, codes, signer};

/// A longer policy is refused, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

const DIALECT: Dialect = Dialect {
    syntax: codes::YAML,
    too_large: codes::TOO_LARGE,
    empty: codes::EMPTY,
    unknown_field: codes::UNKNOWN_FIELD,
    missing_field: codes::MISSING_FIELD,
    wrong_type: codes::WRONG_TYPE,
    max_bytes: MAX_BYTES,
};

/// The only version there is.
const VERSION: i64 = 1;

const UNCONFINED: &str = "unconfined";

pub fn layer(owner: Owner, source: &Source) -> Result<Layer, Vec<Problem>> {
    let node = yaml::parse(source, &DIALECT)?;
    let mut check = Checker::new(&DIALECT);
    let layer = read(owner, source, &node, &mut check);
    let mut problems = check.problems;
    match layer {
        Some(layer) if problems.is_empty() => Ok(layer),
        _ => {
            problems.sort_by_key(Problem::position);
            Err(problems.into_iter().map(|problem| problem.within(source)).collect())
        }
    }
}

fn read(owner: Owner, source: &Source, node: &Node, check: &mut Checker<'_>) -> Option<Layer> {
    let switches = Switch::ALL.map(Switch::as_str);
    let known: Vec<&str> =
        ["version", "plugins", "grants"].into_iter().chain(switches).chain([UNCONFINED, "for"]).collect();
    let fields = check.fields(node, "the policy", "a policy", &known)?;
    version(node, fields, check);
    let plugins = fields.iter().find(|(key, _)| key.name == "plugins");
    let plugins = plugins.map(|(key, node)| Listed { span: key.span, rules: plugin_rules(node, check) });
    let bounds = bounds(fields, check);
    let unconfined = field(fields, UNCONFINED).and_then(|node| switch(UNCONFINED, node, check));
    let sections = field(fields, "for").map(|node| sections(node, check)).unwrap_or_default();
    Some(Layer { owner, source: source.clone(), workspace: ".".to_owned(), plugins, bounds, unconfined, sections })
}

fn version(node: &Node, fields: &[(Key, Node)], check: &mut Checker<'_>) {
    match field(fields, "version") {
        None => {
            let start = Span::new(node.span.start, node.span.start);
            check.missing(start, "the policy has no `version`", "missing in this policy", "add `version: 1`");
        }
        Some(Node { value: NodeValue::Int(VERSION), .. }) => {}
        Some(node) => check.report(
            Problem::new(codes::VERSION, "the policy has a version that this sluice does not know")
                .at(node.span, "only version 1 is known")
                .help("write `version: 1`, or use a newer sluice"),
        ),
    }
}

fn bounds(fields: &[(Key, Node)], check: &mut Checker<'_>) -> Bounds {
    let mut bounds = Bounds::default();
    if let Some(node) = field(fields, "grants") {
        bounds.grants = grants(node, check);
    }
    for kind in Switch::ALL {
        if let Some(value) = field(fields, kind.as_str()).and_then(|node| switch(kind.as_str(), node, check)) {
            bounds.switches.insert(kind, value);
        }
    }
    bounds
}

fn switch(name: &str, node: &Node, check: &mut Checker<'_>) -> Option<Marked<bool>> {
    let value = check.boolean(node, &format!("`{name}`"))?;
    Some(Marked { value, span: node.span })
}

fn grants(node: &Node, check: &mut Checker<'_>) -> IndexMap<Capability, Listed<GrantRule>> {
    let known = Capability::ALL.map(Capability::as_str);
    let entries = check.fields(node, "`grants` of the policy", "`grants`", &known).unwrap_or_default();
    let mut grants = IndexMap::new();
    for (key, node) in entries {
        let Some(capability) = Capability::parse(&key.name) else { continue };
        let mut rules = Vec::new();
        for (text, span) in spellings(capability, node, &format!("`{}`", key.name), check) {
            match GrantRule::parse(capability, &text, span) {
                Ok(rule) => rules.push(rule),
                Err(reason) => check.report(
                    Problem::new(codes::GRANT, format!("`{text}` is no grant of `{capability}`")).at(span, reason),
                ),
            }
        }
        grants.insert(capability, Listed { span: key.span, rules });
    }
    grants
}

/// As in `grants` of a step.
fn spellings(capability: Capability, node: &Node, what: &str, check: &mut Checker<'_>) -> Vec<(String, Span)> {
    match capability {
        Capability::Exec => exec_spellings(node, what, check),
        _ => check.texts(node, what).into_iter().map(|(text, span)| (text.to_owned(), span)).collect(),
    }
}

fn plugin_rules(node: &Node, check: &mut Checker<'_>) -> Vec<PluginRule> {
    let items = check.sequence(node, "`plugins`").unwrap_or_default();
    items.iter().filter_map(|item| plugin_rule(item, check)).collect()
}

/// `lint`, or `{from: "./plugins/*", digest: "sha256:...", signer: {key: acme.pub}}`.
fn plugin_rule(node: &Node, check: &mut Checker<'_>) -> Option<PluginRule> {
    if let NodeValue::String(text) = &node.value {
        return source_of_plugins(text, node.span, check);
    }
    let what = "an item of `plugins`";
    if !matches!(node.value, NodeValue::Mapping(_)) {
        check.wrong_type(node, what, "the name of a plugin, or a mapping with `from`");
        return None;
    }
    let fields = check.fields(node, what, what, &["from", "digest", "signer"])?;
    let rule = match field(fields, "from") {
        Some(from) => check.text(from, "`from`").and_then(|text| source_of_plugins(text, node.span, check)),
        None => {
            let help = "write where it comes from: `from: \"./plugins/*\"`; `\"*\"` are those inside sluice";
            check.missing(node.span, format!("{what} has no `from`"), "says nothing of where it comes from", help);
            None
        }
    };
    let digest = field(fields, "digest").map(|node| {
        let text = check.text(node, "`digest`")?;
        let bad = |reason: &str| Problem::new(codes::PLUGIN, format!("`{text}` is no digest")).at(node.span, reason);
        text.parse().map_err(|reason| check.report(bad(reason))).ok()
    });
    let signer = field(fields, "signer").map(|node| signer::parse(node, check));
    let mut rule = rule?;
    // One that could not be read has been told.
    if let Some(digest) = digest {
        rule.digest = Some(digest?);
    }
    if let Some(signer) = signer {
        rule.signer = Some(signer?);
    }
    Some(rule)
}

fn source_of_plugins(text: &str, span: Span, check: &mut Checker<'_>) -> Option<PluginRule> {
    let rule = PluginRule::parse(text, span).map_err(|reason| {
        Problem::new(codes::PLUGIN, format!("`{text}` names no plugins")).at(span, reason).help(
            "write a name such as `lint`, a folder such as `./plugins/*`, or a source such as `oci://ghcr.io/acme/*`",
        )
    });
    rule.map_err(|problem| check.report(problem)).ok()
}

fn sections(node: &Node, check: &mut Checker<'_>) -> Vec<Section> {
    let items = check.sequence(node, "`for`").unwrap_or_default();
    items.iter().filter_map(|item| section(item, check)).collect()
}

fn section(node: &Node, check: &mut Checker<'_>) -> Option<Section> {
    let known: Vec<&str> = ["plugins", "grants"].into_iter().chain(Switch::ALL.map(Switch::as_str)).collect();
    let fields = check.fields(node, "an item of `for`", "an item of `for`", &known)?;
    let bounds = bounds(fields, check);
    let Some(plugins) = field(fields, "plugins") else {
        let help = "name those it is about: `plugins: [deploy]`; for all plugins, write it outside of `for`";
        check.missing(node.span, "an item of `for` has no `plugins`", "is about no plugin", help);
        return None;
    };
    let named = check.texts(plugins, "`plugins`");
    let plugins: Vec<_> = named.into_iter().filter_map(|(text, span)| source_of_plugins(text, span, check)).collect();
    Some(Section { plugins, bounds })
}
