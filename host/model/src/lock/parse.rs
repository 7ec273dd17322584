//! Text -> [`Lock`].

use super::{Declared, Lock, Locked, MAX_BYTES, VERSION, codes};
use crate::digest::Digest;
use crate::grant::normalise_path;
use crate::manifest;
use crate::problem::Problem;
use crate::reference::PluginRef;
use crate::span::Source;
use crate::yaml::{self, Checker, Dialect, Key, Node, NodeValue, field};

const DIALECT: Dialect = Dialect {
    syntax: codes::SYNTAX,
    too_large: codes::SYNTAX,
    empty: codes::SYNTAX,
    unknown_field: codes::FIELD,
    missing_field: codes::FIELD,
    wrong_type: codes::FIELD,
    max_bytes: MAX_BYTES,
};

const FIELDS: [&str; 3] = ["version", "vendor", "plugins"];
const ENTRY_FIELDS: [&str; 8] =
    ["source", "digest", "oci-manifest", "command", "name", "version", "kinds", "capabilities"];
/// What a plugin with a manifest has, and a plain command has not.
const DECLARED: [&str; 4] = ["name", "version", "kinds", "capabilities"];

const AGAIN: &str = "restore the lock from version control, or make it anew with `sluice lock --accept`";

impl Lock {
    /// Reads and checks a lock.
    ///
    /// # Errors
    /// All problems, in source order, each within `source`.
    pub fn parse(source: &Source) -> Result<Self, Vec<Problem>> {
        let node = yaml::parse(source, &DIALECT)?;
        let mut check = Checker::new(&DIALECT);
        let lock = lock(&node, &mut check);
        match lock {
            Some(lock) if check.problems.is_empty() => Ok(lock),
            _ => {
                let mut problems = check.problems;
                problems.sort_by_key(Problem::position);
                Err(problems.into_iter().map(|problem| of_lock(problem).within(source)).collect())
            }
        }
    }
}

/// What a plugin declares is read as in its manifest; here it is the lock that is wrong.
fn of_lock(mut problem: Problem) -> Problem {
    if problem.code.starts_with("plugin::") {
        problem.code = codes::ENTRY;
    }
    problem.help = Some(AGAIN.to_owned());
    problem
}

fn lock(node: &Node, check: &mut Checker<'_>) -> Option<Lock> {
    let fields = check.mapping(node, "the lock")?;
    match field(fields, "version") {
        Some(Node { value: NodeValue::Int(VERSION), .. }) => {}
        Some(Node { value: NodeValue::Int(other), span }) => {
            // Another version has other fields: nothing else is worth telling.
            let message = format!("the lock has version {other} of its format");
            check.report(Problem::new(codes::VERSION, message).at(*span, format!("only version {VERSION} is read")));
            return None;
        }
        Some(node) => check.wrong_type(node, "`version` of the lock", "a whole number"),
        None => required(node, "version", "the lock", check),
    }
    let fields = check.fields(node, "the lock", "a lock", &FIELDS)?;
    let mut lock = Lock { vendor: field(fields, "vendor").and_then(|node| vendor(node, check)), ..Lock::default() };
    let Some(plugins) = field(fields, "plugins") else {
        required(node, "plugins", "the lock", check);
        return None;
    };
    for entry in check.sequence(plugins, "`plugins` of the lock")? {
        let Some(locked) = plugin(entry, check) else { continue };
        if lock.get(&locked.reference).is_some() {
            let message = format!("`{}` stands in the lock twice", locked.reference);
            let place = entry.get("source").map_or(entry.span, |source| source.span);
            check.report(Problem::new(codes::ENTRY, message).at(place, "stands above already"));
        }
        lock.plugins.push(locked);
    }
    lock.plugins.sort_by_cached_key(|locked| locked.reference.to_string());
    Some(lock)
}

fn required(node: &Node, name: &str, of: &str, check: &mut Checker<'_>) {
    let start = crate::span::Span::new(node.span.start, node.span.start);
    check.missing(start, format!("{of} has no `{name}`"), "missing here", AGAIN);
}

fn vendor(node: &Node, check: &mut Checker<'_>) -> Option<String> {
    let text = check.text(node, "`vendor` of the lock")?;
    match normalise_path(text) {
        Ok(path) if path == text => Some(path),
        Ok(path) => {
            let message = format!("`{text}` is not how the folder is spelled here");
            check.report(Problem::new(codes::ENTRY, message).at(node.span, format!("spelled `{path}`")));
            None
        }
        Err(reason) => {
            let message = format!("`{text}` is no folder of the workspace");
            check.report(Problem::new(codes::ENTRY, message).at(node.span, reason));
            None
        }
    }
}

fn plugin(node: &Node, check: &mut Checker<'_>) -> Option<Locked> {
    let fields = check.fields(node, "an entry of the lock", "an entry of the lock", &ENTRY_FIELDS)?;
    let reference = match field(fields, "source") {
        Some(node) => reference(node, check),
        None => {
            required(node, "source", "an entry of the lock", check);
            None
        }
    };
    let digest = match field(fields, "digest") {
        Some(node) => read_digest(node, "`digest`", check),
        None => {
            required(node, "digest", "an entry of the lock", check);
            None
        }
    };
    let oci_manifest = field(fields, "oci-manifest").and_then(|node| read_digest(node, "`oci-manifest`", check));
    let declared = match field(fields, "command") {
        None => declared(node, fields, check).map(Some),
        Some(command) => {
            if check.boolean(command, "`command`") == Some(false) {
                check.report(Problem::new(codes::ENTRY, "`command` is false").at(command.span, "leave it out instead"));
            }
            for (key, _) in fields.iter().filter(|(key, _)| DECLARED.contains(&key.name.as_str())) {
                let message = format!("a plain command has no `{}`", key.name);
                check.report(Problem::new(codes::ENTRY, message).at(key.span, "a command declares nothing"));
            }
            Some(None)
        }
    };
    let locked = Locked { reference: reference?, digest: digest?, oci_manifest, declared: declared? };
    agree(&locked, node, fields, check);
    Some(locked)
}

fn reference(node: &Node, check: &mut Checker<'_>) -> Option<PluginRef> {
    let text = check.text(node, "`source`")?;
    let refused = |message: String, label: &str| Problem::new(codes::ENTRY, message).at(node.span, label);
    match PluginRef::parse(text) {
        Ok(PluginRef::Builtin(name)) => {
            let problem = refused(format!("`{name}` is inside Sluice"), "only plugins from outside are locked");
            check.report(problem);
            None
        }
        Ok(reference) if reference.to_string() != text => {
            let label = format!("spelled `{reference}`");
            check.report(refused(format!("`{text}` is not how the plugin is spelled here"), &label));
            None
        }
        Ok(reference) => Some(reference),
        Err(reason) => {
            check.report(refused(format!("`{text}` is no reference to a plugin"), reason));
            None
        }
    }
}

fn read_digest(node: &Node, what: &str, check: &mut Checker<'_>) -> Option<Digest> {
    let text = check.text(node, what)?;
    text.parse()
        .map_err(|expected: &str| {
            check.report(Problem::new(codes::ENTRY, format!("{what} is no digest")).at(node.span, expected));
        })
        .ok()
}

fn declared(node: &Node, fields: &[(Key, Node)], check: &mut Checker<'_>) -> Option<Declared> {
    for name in DECLARED {
        if field(fields, name).is_none() {
            required(node, name, "an entry of the lock", check);
        }
    }
    let name = field(fields, "name").and_then(|node| manifest::parse::name(node, check));
    let version = field(fields, "version").and_then(|node| manifest::parse::version(node, check));
    let kinds = field(fields, "kinds").map(|node| manifest::parse::kinds(node, check));
    let capabilities = field(fields, "capabilities").map(|node| manifest::parse::capabilities(node, check));
    Some(Declared { name: name?, version: version?, kinds: kinds?, capabilities: capabilities? })
}

/// A digest in the reference is the one that the entry has.
fn agree(locked: &Locked, node: &Node, fields: &[(Key, Node)], check: &mut Checker<'_>) {
    let is_oci = matches!(locked.reference, PluginRef::Oci(_));
    let place = |name: &str| field(fields, name).map_or(node.span, |node| node.span);
    let named = if is_oci { locked.oci_manifest } else { Some(locked.digest) };
    let problem = match (is_oci, locked.oci_manifest) {
        // Unreadable ones have been told.
        (true, None) if field(fields, "oci-manifest").is_none() => {
            required(node, "oci-manifest", "an entry of the lock", check);
            return;
        }
        (false, Some(_)) => Problem::new(codes::ENTRY, "only an artifact of a registry has an `oci-manifest`")
            .at(place("oci-manifest"), "there is none of this source"),
        _ if locked.reference.digest().is_some_and(|digest| named.is_some_and(|named| named != digest)) => {
            Problem::new(codes::ENTRY, "the digest in `source` is not the one of the entry")
                .at(place(if is_oci { "oci-manifest" } else { "digest" }), "differs from `source`")
        }
        _ => return,
    };
    check.report(problem);
}
