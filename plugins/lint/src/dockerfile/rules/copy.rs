//! Rules about `COPY` and `ADD`.

use super::*;
use crate::dockerfile::parse::Instruction;
use crate::dockerfile::words::Word;

/// Endings of files that `ADD` unpacks.
const ARCHIVES: &[&str] = &[".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst"];

pub fn check(model: &Model, found: &mut Vec<Finding>) {
    for (_, add) in model.named("ADD") {
        let Some((sources, _)) = arguments(model, add) else { continue };
        let needs_add = |word: &Word| {
            let text = word.text.as_str();
            word.dynamic || text.contains("://") || text.starts_with("git@") || is_archive(text)
        };
        if add.flag("checksum").is_none() && !sources.iter().any(needs_add) && !sources.is_empty() {
            found.push(
                Finding::new(&COPY_NOT_ADD, add.keyword.clone(), "`ADD` of local files")
                    .help("use `COPY`, which only copies")
                    .safe_fix("use `COPY`", add.keyword.clone(), "COPY"),
            );
        }
    }
    for (number, copy) in model.named("COPY") {
        let Some((sources, target)) = arguments(model, copy) else { continue };
        let count = sources.len() + copy.heredocs.len();
        if count > 1
            && !target.dynamic
            && !target.text.ends_with(['/', '\\'])
            && !matches!(target.text.as_str(), "." | "..")
        {
            found.push(
                Finding::new(&COPY_DIRECTORY, target.range.clone(), "several files are copied to one")
                    .help(format!("if `{0}` is a folder, write `{0}/`", target.text)),
            );
        }
        from(model, number, copy, &sources, &target, found);
        relative(model, number, &target, found);
    }
    archives(model, found);
}

/// Sources, without here-documents, and target.
fn arguments(model: &Model, instruction: &Instruction) -> Option<(Vec<Word>, Word)> {
    let mut words = instruction.exec_form().unwrap_or_else(|| instruction.words(model.file.escape));
    let target = words.pop().filter(|_| !words.is_empty())?;
    words.retain(|word| !word.text.starts_with("<<"));
    Some((words, target))
}

fn is_archive(path: &str) -> bool {
    ARCHIVES.iter().any(|ending| path.ends_with(ending))
}

fn from(model: &Model, number: usize, copy: &Instruction, sources: &[Word], target: &Word, found: &mut Vec<Finding>) {
    let Some(flag) = copy.flag("from") else { return };
    let Some(value) = flag.value.as_deref() else { return };
    let Some(own) = model.stage_of[number] else { return };
    let message = match value.parse::<usize>() {
        Ok(index) if index == own => Err(()),
        Ok(index) if index > own => Ok(format!("there is no stage {index} before this one")),
        Ok(_) => return roots(sources, target, found),
        Err(_) if model.stages[..own].iter().any(|stage| stage.is_named(value)) => {
            return roots(sources, target, found);
        }
        Err(_) if model.stages[own].is_named(value) => Err(()),
        Err(_) if model.stage_named(value).is_some() => Ok(format!("stage `{value}` comes after this one")),
        // An image of a registry is named with its tag or its registry.
        Err(_) if value.contains([':', '/', '@', '$']) => return,
        Err(_) => Ok(format!("no stage before this one is named `{value}`")),
    };
    found.push(match message {
        Ok(message) => Finding::new(&COPY_FROM_UNKNOWN, flag.range.clone(), message)
            .help("name an earlier stage, or an image with its tag"),
        Err(()) => Finding::new(&COPY_FROM_SELF, flag.range.clone(), "a stage cannot copy from itself")
            .help("leave `--from` out, or name an earlier stage"),
    });
}

fn roots(sources: &[Word], target: &Word, found: &mut Vec<Finding>) {
    if let [source] = sources
        && source.text == "/"
        && target.text == "/"
    {
        found.push(
            Finding::new(
                &COPY_ROOT,
                source.range.start..target.range.end,
                "the whole file system of a stage is copied",
            )
            .help("copy only what is needed, or use the stage as base image"),
        );
    }
}

fn relative(model: &Model, number: usize, target: &Word, found: &mut Vec<Finding>) {
    let text = target.text.trim_start_matches(['"', '\'']);
    let drive = text.as_bytes().get(1) == Some(&b':');
    if text.starts_with(['/', '\\', '$']) || drive {
        return;
    }
    let mut next = model.stage_of[number];
    let mut before = number;
    while let Some(stage) = next {
        let stage = &model.stages[stage];
        if model.file.instructions[stage.instructions.start..before.min(stage.instructions.end)]
            .iter()
            .any(|instruction| instruction.name == "WORKDIR")
        {
            return;
        }
        next = stage.parent;
        before = usize::MAX;
    }
    let message = format!("where `{}` is depends on the base image", target.text);
    found.push(
        Finding::new(&COPY_RELATIVE, target.range.clone(), message)
            .help("set `WORKDIR` before, or write an absolute path"),
    );
}

/// A local archive that is copied and then unpacked in the same stage.
fn archives(model: &Model, found: &mut Vec<Finding>) {
    for (number, copy) in model.named("COPY").filter(|(_, copy)| copy.flag("from").is_none()) {
        let Some((sources, target)) = arguments(model, copy) else { continue };
        for source in sources.iter().filter(|source| is_archive(&source.text)) {
            let name = source.text.rsplit('/').next().unwrap_or_default();
            let name = if is_archive(&target.text) { target.text.rsplit('/').next().unwrap_or(name) } else { name };
            let unpacks = model.runs().any(|(run, _, commands)| {
                run > number
                    && model.stage_of[run] == model.stage_of[number]
                    && commands.iter().any(|command| {
                        matches!(command.program(), "tar" | "gunzip" | "bunzip2" | "unxz")
                            && command.arguments().iter().any(|word| word.text.rsplit('/').next() == Some(name))
                    })
            });
            if unpacks {
                let message = format!("`{name}` is copied and then unpacked, which stores it twice");
                found.push(
                    Finding::new(&ADD_ARCHIVE, copy.keyword.clone(), message)
                        .help("use `ADD`, which unpacks local archives itself"),
                );
            }
        }
    }
}
