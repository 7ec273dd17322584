//! What a workflow requires against what a machine has.

use std::collections::BTreeMap;

use sluice_model::{Problem, Source, Span};
use sluice_workflow::requires::{Requires, User};
use sluice_workflow::version::Version;

use crate::codes;

/// What the caller found out about the machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// By name; one that is not here is missing.
    pub commands: BTreeMap<String, Answer>,
    /// Bytes that are free at the workspace; the error says why that is not known.
    pub disk_free: Result<u64, String>,
    /// Whether Sluice runs as root.
    pub root: bool,
    /// `linux`, `macos`.
    pub os: String,
    pub sluice: String,
}

/// What a program says when it is asked for its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Missing,
    /// It is there and was not asked.
    There,
    /// The beginning of what it printed.
    Said(String),
    /// It could not be asked; completes "`git --version` ...".
    Failed(String),
}

/// Every requirement that the machine does not meet, each at its place in `source`.
pub fn unmet(requires: &Requires, machine: &Machine, source: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |span: Span, message: String, label: String, help: Option<String>| {
        let problem = Problem::new(codes::UNMET, message).at(span, label).within(source);
        problems.push(help.into_iter().fold(problem, Problem::help));
    };
    for command in &requires.commands {
        let (name, wanted) = (&command.name, &command.versions);
        let (message, label) = match machine.commands.get(name).unwrap_or(&Answer::Missing) {
            Answer::There => continue,
            Answer::Missing => {
                (format!("the program `{name}` is not there"), "not found on the search path".to_owned())
            }
            Answer::Failed(_) | Answer::Said(_) if wanted.is_any() => continue,
            Answer::Failed(why) => {
                (format!("the version of `{name}` cannot be found out"), format!("`{name} --version` {why}"))
            }
            Answer::Said(text) => match Version::find(text) {
                Some(found) if wanted.matches(&found) => continue,
                Some(found) => {
                    (format!("`{name}` is version {found}, and {wanted} is required"), format!("found {found}"))
                }
                None => (
                    format!("the version of `{name}` cannot be found out"),
                    format!("`{name} --version` prints nothing that looks like a version"),
                ),
            },
        };
        let help = match wanted.is_any() {
            true => format!("install `{name}`, or change `requires`"),
            false => format!("install `{name}` {wanted}, or change `requires`"),
        };
        report(command.span, message, label, Some(help));
    }
    if let Some(disk) = &requires.disk {
        match &machine.disk_free {
            Ok(free) if *free >= disk.value.bytes => {}
            Ok(free) => {
                let free = size(*free);
                let message = format!("{free} of disk space are free, and {} are required", disk.value.text);
                report(
                    disk.span,
                    message,
                    format!("found {free}"),
                    Some("make space where the workspace is".to_owned()),
                );
            }
            Err(why) => report(disk.span, "free disk space cannot be found out".to_owned(), why.clone(), None),
        }
    }
    if let Some(user) = &requires.user
        && (user.value == User::Root) != machine.root
    {
        let (wanted, found) = match user.value {
            User::Root => ("root", "another user"),
            User::NonRoot => ("a user who is not root", "root"),
        };
        report(user.span, format!("Sluice runs as {found}, and {wanted} is required"), format!("found {found}"), None);
    }
    if let Some(os) = &requires.os
        && !os.value.contains(&machine.os)
    {
        let wanted = os.value.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
        let message = format!("this machine runs `{}`, and {wanted} is required", machine.os);
        report(os.span, message, format!("found `{}`", machine.os), None);
    }
    if let Some(sluice) = &requires.sluice
        && !Version::parse(&machine.sluice).is_ok_and(|found| sluice.value.matches(&found))
    {
        let message = format!("this is Sluice {}, and {} is required", machine.sluice, sluice.value);
        report(sluice.span, message, format!("found {}", machine.sluice), None);
    }
    problems.sort_by_key(Problem::position);
    problems
}

/// `1.5 GiB`, rounded down.
fn size(bytes: u64) -> String {
    for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= factor {
            return format!("{}.{}{unit}", bytes / factor, bytes % factor * 10 / factor);
        }
    }
    format!("{bytes}B")
}

#[cfg(test)]
mod tests;
