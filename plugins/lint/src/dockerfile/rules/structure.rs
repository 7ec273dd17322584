//! Rules about the shape of the file and of single instructions.

use std::collections::BTreeMap;

use super::*;
use crate::dockerfile::parse::{Instruction, KEYWORDS};
use crate::rule::Rule;

pub fn check(model: &Model, found: &mut Vec<Finding>) {
    let file = model.file;
    for problem in &file.problems {
        let finding = Finding::new(&SYNTAX, problem.range.clone(), problem.message.clone());
        found.push(Finding { help: problem.help.clone(), ..finding });
    }
    for gap in &file.gaps {
        found.push(
            Finding::new(&EMPTY_CONTINUATION, gap.clone(), "blank line inside of an instruction")
                .help("delete it, or put a `#` there: later versions of Docker will refuse it"),
        );
    }
    for (number, instruction) in file.instructions.iter().enumerate() {
        if !KEYWORDS.contains(&instruction.name.as_str()) {
            found.push(unknown(file.text, instruction));
            continue;
        }
        if let Some((message, help)) = malformed(model, instruction) {
            found.push(Finding::new(&SYNTAX, instruction.keyword.clone(), message).help(help));
        }
        flags(instruction, found);
        order(model, number, instruction, found);
        exec_form(instruction, found);
    }
    maintainer(model, found);
    replaced(model, found);
    consecutive_run(model, found);
}

fn unknown(text: &str, instruction: &Instruction) -> Finding {
    let finding = Finding::new(
        &UNKNOWN_INSTRUCTION,
        instruction.keyword.clone(),
        format!("unknown instruction `{}`", &text[instruction.keyword.clone()]),
    );
    match crate::nearest(&instruction.name, KEYWORDS.iter().copied()) {
        Some(name) => finding.help(format!("an instruction with a similar name exists: `{name}`")),
        None => finding.help("if the line before should go on here, end it with a line continuation"),
    }
}

/// Why the arguments of an instruction make no sense, and what would.
fn malformed(model: &Model, instruction: &Instruction) -> Option<(String, String)> {
    let words = instruction.words(model.file.escape);
    let name = instruction.name.as_str();
    let count = words.len();
    let wrong = |what: &str, example: &str| Some((format!("`{name}` {what}"), format!("write `{name} {example}`")));
    match name {
        "FROM" if count == 0 => wrong("names no image", "image:tag"),
        "FROM" if count == 2 || count > 3 || (count == 3 && !words[1].text.eq_ignore_ascii_case("as")) => {
            wrong("has more than an image and a name", "image:tag AS name")
        }
        "COPY" | "ADD" if instruction.exec_form().map_or(count, |words| words.len()) < 2 => {
            wrong("needs a source and a target", "source target")
        }
        "ENV" | "LABEL" if count == 0 => wrong("sets nothing", "name=value"),
        "ENV" if count == 1 && !words[0].text.contains('=') => wrong("has a name without value", "name=value"),
        "SHELL" if instruction.exec_form().is_none_or(|words| words.is_empty()) => {
            wrong("needs a JSON array", "[\"/bin/bash\", \"-c\"]")
        }
        "HEALTHCHECK" if count == 0 || !(words[0].text.eq_ignore_ascii_case("none") || is_command(&words[0].text)) => {
            wrong("needs `CMD` or `NONE`", "CMD program")
        }
        "ONBUILD" if instruction.onbuild.is_none() => wrong("needs an instruction", "RUN program"),
        "RUN" | "CMD" | "ENTRYPOINT" if count == 0 => wrong("runs nothing", "program argument"),
        "ARG" | "EXPOSE" | "USER" | "VOLUME" | "WORKDIR" | "STOPSIGNAL" | "MAINTAINER" if count == 0 => {
            wrong("needs an argument", "argument")
        }
        "STOPSIGNAL" if count > 1 => wrong("takes one signal", "SIGTERM"),
        _ => None,
    }
}

fn is_command(word: &str) -> bool {
    word.eq_ignore_ascii_case("cmd")
}

/// BuildKit refuses flags that it does not know.
fn flags(instruction: &Instruction, found: &mut Vec<Finding>) {
    let known: &[&str] = match instruction.name.as_str() {
        "FROM" => &["platform"],
        "RUN" => &["mount", "network", "security", "device"],
        "COPY" => &["from", "chown", "chmod", "link", "parents", "exclude"],
        "ADD" => &["chown", "chmod", "link", "exclude", "keep-git-dir", "checksum", "unpack"],
        "HEALTHCHECK" => &["interval", "timeout", "start-period", "start-interval", "retries"],
        _ => return,
    };
    for flag in instruction.flags.iter().filter(|flag| !known.contains(&flag.name.as_str())) {
        let message = format!("`{}` has no flag `--{}`", instruction.name, flag.name);
        let finding = Finding::new(&SYNTAX, flag.range.clone(), message);
        found.push(match crate::nearest(&flag.name, known.iter().copied()) {
            Some(name) => finding.help(format!("a flag with a similar name exists: `--{name}`")),
            None => finding,
        });
    }
}

fn order(model: &Model, number: usize, instruction: &Instruction, found: &mut Vec<Finding>) {
    if model.stage_of[number].is_none() && instruction.name != "ARG" {
        let message = format!("`{}` before the first `FROM`", instruction.name);
        found.push(
            Finding::new(&INSTRUCTION_ORDER, instruction.keyword.clone(), message)
                .help("only comments and `ARG` may stand before `FROM`"),
        );
    }
    if instruction.onbuild.is_some() && matches!(instruction.name.as_str(), "FROM" | "ONBUILD" | "MAINTAINER") {
        let message = format!("`ONBUILD` cannot trigger `{}`", instruction.name);
        found.push(Finding::new(&ONBUILD_TRIGGER, instruction.keyword.clone(), message));
    }
}

fn exec_form(instruction: &Instruction, found: &mut Vec<Finding>) {
    if instruction.exec_form().is_some() || instruction.rest().trim().is_empty() {
        return;
    }
    let name = instruction.name.as_str();
    let range = instruction.rest_range();
    let bracketed = instruction.rest().trim_start().starts_with('[') && instruction.rest().trim_end().ends_with(']');
    let meant = instruction.rest().contains(['"', '\'']) && !instruction.rest().trim_start().starts_with("[[");
    if matches!(name, "CMD" | "ENTRYPOINT" | "RUN") && bracketed && meant && !instruction.rest().starts_with("[ ") {
        found.push(
            Finding::new(&MALFORMED_EXEC_FORM, range, format!("the array of `{name}` is no JSON, so a shell runs it"))
                .help("put every string into double quotes, with commas between"),
        );
    } else if matches!(name, "CMD" | "ENTRYPOINT") {
        found.push(
            Finding::new(&EXEC_FORM, range, format!("`{name}` runs through a shell, which keeps signals from it"))
                .help(format!("write `{name} [\"program\", \"argument\"]`")),
        );
    }
}

fn maintainer(model: &Model, found: &mut Vec<Finding>) {
    for (_, instruction) in model.named("MAINTAINER").filter(|(_, instruction)| instruction.onbuild.is_none()) {
        let finding = Finding::new(&MAINTAINER, instruction.keyword.clone(), "`MAINTAINER` is deprecated");
        let who = instruction.rest().trim().trim_matches(['"', '\'']);
        if who.is_empty() || who.contains(['"', '\\', '$', '\n']) {
            found.push(finding.help("write `LABEL org.opencontainers.image.authors=\"...\"`"));
            continue;
        }
        let label = format!("LABEL org.opencontainers.image.authors=\"{who}\"");
        let whole = instruction.keyword.start..instruction.rest_range().end;
        found.push(finding.help(format!("write `{label}`")).fix("use a label", false, whole, label));
    }
}

/// Instructions of which only the last one of a stage counts.
fn replaced(model: &Model, found: &mut Vec<Finding>) {
    let rules: [(&str, &'static Rule); 3] =
        [("CMD", &MULTIPLE_CMD), ("ENTRYPOINT", &MULTIPLE_ENTRYPOINT), ("HEALTHCHECK", &MULTIPLE_HEALTHCHECK)];
    for (name, rule) in rules {
        let mut last = BTreeMap::new();
        for (number, instruction) in model.named(name).filter(|(_, instruction)| instruction.onbuild.is_none()) {
            if let Some(earlier) = last.insert(model.stage_of[number], instruction) {
                let line = model.file.text[..earlier.keyword.start].matches('\n').count() + 1;
                let message = format!("`{name}` replaces the one of line {line}");
                found.push(
                    Finding::new(rule, instruction.keyword.clone(), message)
                        .help(format!("keep one `{name}` in each stage: only the last one counts")),
                );
            }
        }
    }
}

fn consecutive_run(model: &Model, found: &mut Vec<Finding>) {
    for (number, pair) in model.file.instructions.windows(2).enumerate() {
        let [before, run] = pair else { continue };
        let plain = |run: &Instruction| run.name == "RUN" && run.onbuild.is_none() && run.heredocs.is_empty();
        let flags = |run: &Instruction| {
            run.flags.iter().map(|flag| (flag.name.clone(), flag.value.clone())).collect::<Vec<_>>()
        };
        // Runs with different mounts, scripts and long ones stand apart for a reason.
        let short = |number: usize| model.commands[number].len() <= 1;
        if plain(before)
            && plain(run)
            && flags(before) == flags(run)
            && short(number)
            && short(number + 1)
            && model.shipped(number + 1)
        {
            found.push(
                Finding::new(&CONSECUTIVE_RUN, run.keyword.clone(), "`RUN` directly after `RUN` makes another layer")
                    .help("join them with `&&` or a here-document"),
            );
        }
    }
}
