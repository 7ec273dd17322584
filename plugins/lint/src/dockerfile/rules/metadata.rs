//! Rules about `WORKDIR`, `EXPOSE`, `ENV`, `ARG` and `LABEL`.

use super::*;
use crate::dockerfile::model::variable;
use crate::dockerfile::parse::Instruction;

/// Parts of a variable's name that tell of a secret, and parts that tell of something else.
const SECRET: &[&str] =
    &["apikey", "auth", "credential", "credentials", "passwd", "password", "pword", "secret", "token"];
const HARMLESS: &[&str] = &["file", "path", "url", "ttl", "public", "name", "dir"];

pub fn check(model: &Model, found: &mut Vec<Finding>) {
    for (_, workdir) in model.named("WORKDIR") {
        let path = workdir.rest().trim().trim_matches(['"', '\'']);
        let drive = path.as_bytes().get(1) == Some(&b':');
        if !path.is_empty() && !path.starts_with(['/', '\\', '$']) && !drive {
            let message = format!("where `{path}` is depends on the base image");
            found.push(
                Finding::new(&ABSOLUTE_WORKDIR, workdir.rest_range(), message).help(format!("write `WORKDIR /{path}`")),
            );
        }
    }
    for (_, expose) in model.named("EXPOSE") {
        for word in expose.words(model.file.escape).iter().filter(|word| !word.dynamic) {
            let (ports, protocol) = word.text.split_once('/').unwrap_or((&word.text, "tcp"));
            let known = ["tcp", "udp", "sctp"].contains(&protocol.to_ascii_lowercase().as_str());
            if !known || ports.split('-').any(|port| port.parse::<u16>().is_err()) {
                let message = format!("`{}` is no port", word.text);
                let help = "write a number from 0 to 65535, or a range, and perhaps `/udp`";
                found.push(Finding::new(&PORT, word.range.clone(), message).help(help));
            }
        }
    }
    for (_, env) in model.named("ENV") {
        legacy(model, env, found);
        self_reference(model, env, found);
    }
    secrets(model, found);
    for (_, label) in model.named("LABEL") {
        for word in label.words(model.file.escape).iter().filter(|word| !word.dynamic) {
            let Some((key, _)) = word.text.split_once('=') else { continue };
            if let Some(why) = bad_label(key) {
                let message = format!("label `{key}` {why}");
                let help = "use lower case letters, digits, and single `.` or `-` between them";
                found.push(Finding::new(&LABEL_KEY, word.range.clone(), message).help(help));
            }
        }
    }
}

/// Docker's guidelines for names of labels, <https://docs.docker.com/engine/manage-resources/labels/>.
fn bad_label(key: &str) -> Option<&'static str> {
    let reserved = ["com.docker.", "io.docker.", "org.dockerproject."];
    if reserved.iter().any(|prefix| key.starts_with(prefix)) {
        Some("is in a namespace of Docker")
    } else if !key.starts_with(|c: char| c.is_ascii_lowercase()) || !key.ends_with(|c: char| c.is_ascii_alphanumeric())
    {
        Some("begins or ends with the wrong character")
    } else if !key
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_' | b'/'))
    {
        Some("has a character that names should not have")
    } else if key.contains("..") || key.contains("--") {
        Some("has two separators in a row")
    } else {
        None
    }
}

fn legacy(model: &Model, env: &Instruction, found: &mut Vec<Finding>) {
    let words = env.words(model.file.escape);
    let Some(first) = words.first().filter(|first| words.len() > 1 && !first.text.contains('=')) else { return };
    let value = env.rest()[..].trim();
    let value = value[value.find(char::is_whitespace).unwrap_or(value.len())..].trim();
    let range = env.rest_range();
    let mut finding = Finding::new(&LEGACY_ENV, range.clone(), "`ENV` without `=` is an old form")
        .help(format!("write `ENV {}=...`, in quotes when there are blanks", first.text));
    // Inside of quotes, quotes and escapes would mean something else.
    if !value.contains(['"', '\'', '\\', '`']) && !model.file.text[range.clone()].contains('\n') {
        let quoted = if value.contains(char::is_whitespace) { format!("\"{value}\"") } else { value.to_owned() };
        finding = finding.safe_fix("use `=`", range, format!("{}={quoted}", first.text));
    }
    found.push(finding);
}

fn self_reference(model: &Model, env: &Instruction, found: &mut Vec<Finding>) {
    let words = env.words(model.file.escape);
    let names: Vec<_> = words.iter().filter_map(|word| word.text.split_once('=')).map(|(name, _)| name).collect();
    for word in words.iter() {
        let Some((own, value)) = word.text.split_once('=') else { continue };
        let mut rest = value;
        while let Some(at) = rest.find('$') {
            let Some((name, _, after)) = variable(&rest[at + 1..]) else { break };
            // `PATH=$PATH:/x` extends what was set before, and that is fine.
            if name != own && names.contains(&name) && !set_before(model, env, name) {
                let message = format!("`{name}` has its new value only after this `ENV`");
                let help = format!("set `{name}` in an `ENV` of its own before");
                found.push(Finding::new(&ENV_SELF_REFERENCE, word.range.clone(), message).help(help));
            }
            rest = after;
        }
    }
}

/// Whether the variable has a value before the instruction, so that using it may be meant.
fn set_before(model: &Model, env: &Instruction, name: &str) -> bool {
    let earlier = model.file.instructions.iter().take_while(|other| other.range.start < env.range.start);
    earlier
        .filter(|other| matches!(other.name.as_str(), "ENV" | "ARG"))
        .any(|other| other.words(model.file.escape).iter().any(|word| word.text.split('=').next() == Some(name)))
}

fn secrets(model: &Model, found: &mut Vec<Finding>) {
    for instruction in model.file.instructions.iter().filter(|found| matches!(found.name.as_str(), "ENV" | "ARG")) {
        let words = instruction.words(model.file.escape);
        let legacy = instruction.name == "ENV" && words.first().is_some_and(|first| !first.text.contains('='));
        for word in words.iter().take(if legacy { 1 } else { usize::MAX }) {
            let (name, value) = word.text.split_once('=').unwrap_or((&word.text, "?"));
            let lower = name.to_ascii_lowercase();
            let parts: Vec<_> = lower.split('_').collect();
            let joined = parts.contains(&"key")
                && (parts.contains(&"api") || parts.contains(&"private") || parts.contains(&"access"));
            let secret = joined || parts.iter().any(|part| SECRET.contains(part));
            if secret
                && !parts.iter().any(|part| HARMLESS.contains(part))
                && !(instruction.name == "ENV" && value.is_empty())
            {
                let message = format!("`{}` of `{name}` stays readable in the image", instruction.name);
                let help = "use `RUN --mount=type=secret`, or give it to the container when it runs";
                found.push(Finding::new(&SECRET_IN_ENV, word.range.clone(), message).help(help));
            }
        }
    }
}
