//! Arguments of functions with a namespace, as far as they are known before anything runs.

use cel::IdedExpr;
use sluice_model::{Globs, Problem, suggest};

use super::types::Type;
use crate::codes;
use crate::template::Expression;
use crate::template::functions::{QUALIFIED, literal, nth, takes};
use crate::version::{Part, Requirement, Version};

/// What is wrong with the globs of `hash.files`, which must be known before the plan.
pub fn files(expression: &Expression) -> Vec<Problem> {
    let problem = |(globs, span): &(Option<Vec<String>>, _)| {
        let (message, label) = match globs.as_deref() {
            None => ("the globs of `hash.files` are computed".to_owned(), "each must be written out".to_owned()),
            Some([]) => ("`hash.files` has no globs".to_owned(), "nothing to read".to_owned()),
            Some(globs) => match globs.iter().find(|glob| glob.is_empty() || glob.starts_with(['/'])) {
                Some(glob) => (format!("`{glob}` is no glob of the workspace"), "paths begin at the workspace".into()),
                None => ("a glob of `hash.files` cannot be read".to_owned(), Globs::parse(globs).err()?),
            },
        };
        let help = "write them out: `hash.files(\"**/Cargo.lock\", \"src/**\")`";
        Some(Problem::new(codes::GLOB, message).at(*span, label).help(help))
    };
    expression.file_hashes.iter().filter_map(problem).collect()
}

/// The type of what the function gives.
pub fn returns(name: &str) -> Option<Type> {
    match name {
        "semver.bump" | "hash.sha256" | "hash.files" => Some(Type::Text),
        _ if name.starts_with("semver.") => Some(Type::Boolean),
        _ => None,
    }
}

/// The first fault of a call, with a help.
pub fn arguments(name: &str, arguments: &[IdedExpr], kinds: &[Option<Type>]) -> Option<(String, Option<String>)> {
    let (_, least, most) = QUALIFIED.into_iter().find(|(known, _, _)| *known == name)?;
    if !(least..=most).contains(&arguments.len()) {
        return Some((format!("`{name}` takes {}, and there are {}", takes(least, most), arguments.len()), None));
    }
    let other = |kind: &&Option<Type>| kind.is_some_and(|kind| kind != Type::Text);
    if let Some((at, Some(kind))) = kinds.iter().enumerate().find(|(_, kind)| other(kind)) {
        let message = format!("`{name}` works on text, and {} is {}", nth(at), kind.describe());
        let help = match kind {
            Type::Number => Some("quote it: \"1.30\" is a version, and 1.30 is the number 1.3".to_owned()),
            Type::Integer | Type::Boolean => Some("convert it: `string(VALUE)`".to_owned()),
            _ => None,
        };
        return Some((message, help));
    }
    let literals = [arguments.first().and_then(literal), arguments.get(1).and_then(literal)];
    match (name, literals) {
        ("semver.valid", _) => None,
        ("semver.bump", [_, Some(part)]) if Part::parse(part).is_none() => {
            let help = match suggest::closest(part, Part::NAMES) {
                Some(close) => format!("write \"{close}\""),
                None => format!("parts: {}", suggest::list(Part::NAMES)),
            };
            Some((format!("`{part}` is no part of a version"), Some(help)))
        }
        ("semver.matches", [version, Some(requirement)]) => match Requirement::parse(requirement) {
            Ok(_) => version.and_then(unreadable),
            Err(reason) => Some((
                format!("`{requirement}` is no requirement: {reason}"),
                Some("for example \">=1.29, <2\", \"^20\" or \"~1.4\"".to_owned()),
            )),
        },
        ("semver.bump" | "semver.matches", [version, _]) => version.and_then(unreadable),
        _ if name.starts_with("semver.") => literals.into_iter().flatten().find_map(unreadable),
        _ => None,
    }
}

fn unreadable(version: &str) -> Option<(String, Option<String>)> {
    let reason = Version::parse(version).err()?;
    Some((format!("`{version}` is no version: {reason}"), Some("for example \"1.29\" or \"v1.2.3-rc.1\"".to_owned())))
}
