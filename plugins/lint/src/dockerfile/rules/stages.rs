//! Rules about `FROM`, stages and `USER`.

use super::*;
use crate::dockerfile::image::Image;
use crate::dockerfile::model::{Stage, variable};
use crate::rule::Rule;

/// Arguments that BuildKit sets by itself.
const PLATFORM_ARGUMENTS: &[&str] = &[
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

pub fn check(model: &Model, found: &mut Vec<Finding>) {
    for (number, stage) in model.stages.iter().enumerate() {
        base_image(model, number, stage, found);
        platform(model, stage, found);
        name(model, number, stage, found);
    }
    user(model, found);
}

fn base_image(model: &Model, number: usize, stage: &Stage, found: &mut Vec<Finding>) {
    let written = &stage.image;
    if written.text.is_empty() || written.text == "scratch" || stage.parent.is_some_and(|parent| parent < number) {
        return;
    }
    undeclared(model, stage, found);
    let Some(text) = model.resolve(&written.text) else { return };
    if model.stages[..number].iter().any(|earlier| earlier.is_named(&text)) || text == "scratch" {
        return;
    }
    let image = Image::parse(&text);
    let mut report = |rule: &'static Rule, message: String| {
        let help = format!("write `{}:1.2.3` with the version you mean, or a digest", image.name);
        found.push(Finding::new(rule, written.range.clone(), message).help(help));
    };
    match (image.tag, image.digest) {
        (None | Some(""), None) => report(&PIN_BASE_IMAGE, format!("image `{text}` has no tag")),
        (Some("latest"), None) => report(&LATEST_TAG, format!("image `{text}` changes under the same tag")),
        _ => {}
    }
}

fn undeclared(model: &Model, stage: &Stage, found: &mut Vec<Finding>) {
    let mut rest = stage.image.text.as_str();
    while let Some(at) = rest.find('$') {
        let Some((name, fallback, after)) = variable(&rest[at + 1..]) else { return };
        let known = model.global_args.contains_key(name) || PLATFORM_ARGUMENTS.contains(&name);
        if !known && fallback.is_none() && !name.is_empty() {
            let message = format!("no `ARG {name}` stands before the first `FROM`");
            found.push(
                Finding::new(&UNDEFINED_FROM_ARGUMENT, stage.image.range.clone(), message)
                    .help(format!("put `ARG {name}=value` above the first `FROM`")),
            );
        }
        rest = after;
    }
}

fn platform(model: &Model, stage: &Stage, found: &mut Vec<Finding>) {
    let Some(flag) = model.file.instructions[stage.from].flag("platform") else { return };
    let value = flag.value.as_deref().unwrap_or_default();
    if matches!(value, "$TARGETPLATFORM" | "${TARGETPLATFORM}") {
        let message = "`--platform=$TARGETPLATFORM` is what happens anyway";
        found.push(Finding::new(&REDUNDANT_PLATFORM, flag.range.clone(), message).help("leave the flag out"));
    } else if !value.contains('$') {
        let message = format!("`--platform={value}` builds for one platform only");
        let help = "leave the flag out, or use `$BUILDPLATFORM` for a stage that cross-compiles";
        found.push(Finding::new(&FROM_PLATFORM, flag.range.clone(), message).help(help));
    }
}

fn name(model: &Model, number: usize, stage: &Stage, found: &mut Vec<Finding>) {
    let Some(name) = &stage.name else { return };
    if matches!(name.text.to_ascii_lowercase().as_str(), "scratch" | "context") {
        let message = format!("`{}` cannot name a stage: it means something else to Docker", name.text);
        found.push(Finding::new(&RESERVED_STAGE, name.range.clone(), message));
    }
    if model.stages[..number].iter().any(|earlier| earlier.is_named(&name.text)) {
        let message = format!("another stage is named `{}` already", name.text);
        found.push(Finding::new(&DUPLICATE_STAGE, name.range.clone(), message));
    }
}

/// The last user counts; a stage without `USER` has the user of the stage it continues.
fn user(model: &Model, found: &mut Vec<Finding>) {
    let mut next = model.stages.len().checked_sub(1);
    while let Some(number) = next {
        let stage = &model.stages[number];
        let users = stage.instructions.clone().rev().map(|at| &model.file.instructions[at]);
        let mut users = users.filter(|instruction| instruction.name == "USER" && instruction.onbuild.is_none());
        if let Some(word) = users.next().and_then(|user| user.words(model.file.escape).into_iter().next()) {
            let user = word.text.split(':').next().unwrap_or_default();
            if matches!(user, "root" | "0") {
                found.push(
                    Finding::new(&ROOT_USER, word.range, "the finished image runs as root")
                        .help("end the last stage with `USER` and another user"),
                );
            } else if !word.dynamic && !user.bytes().all(|byte| byte.is_ascii_digit()) {
                let message = format!("user `{user}` is a name: `runAsNonRoot` of Kubernetes needs a number");
                found.push(Finding::new(&NUMERIC_USER, word.range, message).help("write the user's number"));
            }
            return;
        }
        next = stage.parent;
    }
}
