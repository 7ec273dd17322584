//! Functions with a namespace: `semver.gte(a, b)`, `hash.files("src/**")`.

use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, LiteralValue};
use cel::extractors::Arguments;
use cel::{ExecutionError, IdedExpr};
use sha2::{Digest as _, Sha256};
use sluice_model::Digest;

use super::context::Context;
use crate::version::{Part, Requirement, Version};

/// What stands before the dot.
pub const NAMESPACES: [&str; 2] = ["semver", "hash"];

/// The functions, and how many arguments each takes at least and at most. All arguments are text.
pub const QUALIFIED: [(&str, usize, usize); 10] = [
    ("semver.gt", 2, 2),
    ("semver.gte", 2, 2),
    ("semver.lt", 2, 2),
    ("semver.lte", 2, 2),
    ("semver.eq", 2, 2),
    ("semver.matches", 2, 2),
    ("semver.bump", 2, 2),
    ("semver.valid", 1, 1),
    ("hash.sha256", 1, 1),
    (FILES, 1, MAX_GLOBS),
];

/// Its value depends on the workspace: the host computes it before the plan, and evaluation reads it from the context.
pub const FILES: &str = "hash.files";

/// The root of the context that holds the digests for [`FILES`], by [`files_key`].
pub const FILES_ROOT: &str = "hash";

const MAX_GLOBS: usize = 64;

/// What stands for a list of globs in the context.
pub fn files_key(globs: &[String]) -> String {
    serde_json::Value::from(globs).to_string()
}

/// The texts of these arguments, if all of them are written out.
pub fn literals(arguments: &[IdedExpr]) -> Option<Vec<String>> {
    arguments.iter().map(|argument| literal(argument).map(str::to_owned)).collect()
}

pub fn literal(argument: &IdedExpr) -> Option<&str> {
    match &argument.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// CEL reads `semver.gte(a, b)` as the method `gte` of a value `semver`. From here on it is the function `semver.gte`,
/// unless a loop has named its variable so.
pub fn qualify(node: &mut IdedExpr) {
    visit(node, &mut Vec::new());
}

fn visit(node: &mut IdedExpr, bound: &mut Vec<String>) {
    match &mut node.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
        Expr::Call(call) => {
            if let Some(Expr::Ident(name)) = call.target.as_ref().map(|target| &target.expr)
                && NAMESPACES.contains(&name.as_str())
                && !bound.contains(name)
            {
                call.func_name = format!("{name}.{}", call.func_name);
                call.target = None;
            }
            call.target.iter_mut().for_each(|target| visit(target, bound));
            call.args.iter_mut().for_each(|argument| visit(argument, bound));
        }
        Expr::Comprehension(comprehension) => {
            visit(&mut comprehension.iter_range, bound);
            visit(&mut comprehension.accu_init, bound);
            let before = bound.len();
            bound.push(comprehension.iter_var.clone());
            bound.extend(comprehension.iter_var2.clone());
            visit(&mut comprehension.loop_cond, bound);
            visit(&mut comprehension.loop_step, bound);
            visit(&mut comprehension.result, bound);
            bound.truncate(before);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(|element| visit(element, bound)),
        Expr::Map(map) => map.entries.iter_mut().for_each(|entry| visit_entry(&mut entry.expr, bound)),
        Expr::Struct(value) => value.entries.iter_mut().for_each(|entry| visit_entry(&mut entry.expr, bound)),
        Expr::Select(select) => visit(&mut select.operand, bound),
    }
}

fn visit_entry(entry: &mut EntryExpr, bound: &mut Vec<String>) {
    match entry {
        EntryExpr::StructField(field) => visit(&mut field.value, bound),
        EntryExpr::MapEntry(entry) => {
            visit(&mut entry.key, bound);
            visit(&mut entry.value, bound);
        }
    }
}

/// Adds the functions that are called.
pub fn add<'c>(
    scope: &mut cel::Context<'_, '_>,
    calls: impl Iterator<Item = &'c str>,
    context: &Context,
) -> Result<(), String> {
    for name in calls {
        let Some((name, least, most)) = QUALIFIED.into_iter().find(|(known, _, _)| *known == name) else { continue };
        let files = (name == FILES).then(|| context.get(FILES_ROOT).cloned()).flatten();
        let function = move |Arguments(arguments): Arguments| -> Result<cel::Value, ExecutionError> {
            let fail = |reason: String| ExecutionError::function_error(name, reason);
            let texts = texts(&arguments, least, most).map_err(fail)?;
            call(name, &texts, files.as_ref()).map_err(fail)
        };
        scope.add_function(name, function).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn texts(arguments: &[cel::Value], least: usize, most: usize) -> Result<Vec<&str>, String> {
    if !(least..=most).contains(&arguments.len()) {
        return Err(format!("it takes {}, and there are {}", takes(least, most), arguments.len()));
    }
    let mut texts = Vec::with_capacity(arguments.len());
    for (at, argument) in arguments.iter().enumerate() {
        match argument {
            cel::Value::String(text) => texts.push(text.as_str()),
            other => return Err(format!("{} is of the type `{}`, not text", nth(at), other.type_of())),
        }
    }
    Ok(texts)
}

/// `2 arguments`, for a help.
pub fn takes(least: usize, most: usize) -> String {
    match (least, most) {
        (1, 1) => "1 argument".to_owned(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

/// What messages call an argument, counted from 0. Values themselves are not shown.
pub fn nth(at: usize) -> &'static str {
    match at {
        0 => "its first argument",
        1 => "its second argument",
        _ => "a later argument",
    }
}

fn call(name: &str, texts: &[&str], files: Option<&cel::Value>) -> Result<cel::Value, String> {
    let version =
        |at: usize| Version::parse(texts[at]).map_err(|reason| format!("{} is no version: {reason}", nth(at)));
    let text = |text: String| cel::Value::String(Arc::new(text));
    let compare = || Ok::<_, String>(version(0)?.precedence(&version(1)?));
    Ok(match name {
        "semver.gt" => cel::Value::Bool(compare()?.is_gt()),
        "semver.gte" => cel::Value::Bool(compare()?.is_ge()),
        "semver.lt" => cel::Value::Bool(compare()?.is_lt()),
        "semver.lte" => cel::Value::Bool(compare()?.is_le()),
        "semver.eq" => cel::Value::Bool(compare()?.is_eq()),
        "semver.matches" => {
            let requirement =
                Requirement::parse(texts[1]).map_err(|reason| format!("{} is no requirement: {reason}", nth(1)))?;
            cel::Value::Bool(requirement.matches(&version(0)?))
        }
        "semver.bump" => {
            let part = Part::parse(texts[1]).ok_or_else(|| format!("{} is not `major`, `minor` or `patch`", nth(1)))?;
            text(version(0)?.bump(part).ok_or("a number of the version gets too large")?.to_string())
        }
        "semver.valid" => cel::Value::Bool(Version::parse(texts[0]).is_ok()),
        "hash.sha256" => text(Digest::from_bytes(Sha256::digest(texts[0].as_bytes()).into()).hex()),
        FILES => {
            let globs: Vec<String> = texts.iter().map(|&glob| glob.to_owned()).collect();
            let digests = match files {
                Some(cel::Value::Map(digests)) => digests,
                _ => return Err("the files of the workspace cannot be read here".to_owned()),
            };
            let key = cel::objects::Key::from(files_key(&globs));
            digests.map.get(&key).cloned().ok_or("its globs were not known before the run")?
        }
        _ => return Err("it does not exist".to_owned()),
    })
}
