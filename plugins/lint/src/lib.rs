//! Checks YAML files and Dockerfiles.
//!
//! [`check`] is the whole linter as a pure function; the rest is the plugin around it. Rules look at byte offsets and
//! say [`rule::Finding`]s; comments and configuration take some away, and what is left gets lines and columns.

#[cfg(test)]
mod cases;
mod config;
mod dockerfile;
mod ignore;
#[cfg(test)]
mod peers;
mod rule;
mod source;
mod text;
mod yaml;

use std::collections::BTreeMap;

use serde::Deserialize;
use sluice_sdk::{Edit, Failure, Finding, Fix, Level, Lint, Sink, Span, Step};

pub use config::Config;
pub use rule::Rule;

/// More findings of one rule in one file tell nothing new.
const MAX_PER_RULE: usize = 50;

/// So many files are reported at once.
const BATCH: usize = 64;

/// All rules, in the order of the documentation.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    yaml::RULES.iter().chain(dockerfile::RULES).chain(text::RULES).copied()
}

/// Whether a file of this path is checked.
pub fn is_checked(path: &str) -> bool {
    yaml::is_yaml(path) || dockerfile::is_dockerfile(path)
}

/// Checks one file by its path and content; a path that is neither YAML nor a Dockerfile has no findings. Findings come
/// in source order.
pub fn check(path: &str, bytes: &[u8], config: &Config) -> Vec<Finding> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let lines = source::Lines::new(valid);
            let finding = rule::Finding::new(&text::ENCODING, valid.len()..valid.len(), "the file is not UTF-8");
            let help = finding.help("convert it, for example with `iconv -t UTF-8`");
            return if is_checked(path) && config.is_on(&text::ENCODING) {
                vec![translate(path, &lines, help, config)]
            } else {
                Vec::new()
            };
        }
    };
    let lines = source::Lines::new(text);
    let (mut found, ignores) = if yaml::is_yaml(path) {
        yaml::check(text, &lines, config)
    } else if dockerfile::is_dockerfile(path) {
        dockerfile::check(text, &lines)
    } else {
        return Vec::new();
    };
    found.extend(text::check(text, &lines));
    found.sort_by_key(|finding| (finding.range.start, finding.range.end));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    found.retain(|finding| {
        let wanted = config.is_on(finding.rule) && !ignores.cover(finding.rule, lines.line(finding.range.start));
        let count = counts.entry(finding.rule.id).or_default();
        *count += usize::from(wanted);
        wanted && *count <= MAX_PER_RULE
    });
    for (rule, count) in counts.iter().filter(|(_, count)| **count > MAX_PER_RULE) {
        if let Some(last) = found.iter_mut().rfind(|finding| finding.rule.id == *rule) {
            last.message += &format!(", and {} more in this file", count - MAX_PER_RULE);
        }
    }
    found.into_iter().map(|finding| translate(path, &lines, finding, config)).collect()
}

fn translate(path: &str, lines: &source::Lines, finding: rule::Finding, config: &Config) -> Finding {
    let span = |range: std::ops::Range<usize>| {
        let (start_line, start_column) = lines.position(range.start);
        let (end_line, end_column) = lines.position(range.end);
        Span { path: path.to_owned(), start_line, start_column, end_line, end_column }
    };
    let mut translated =
        Finding::new(config.severity(finding.rule), finding.rule.id, finding.message).at(span(finding.range));
    translated.help = finding.help;
    translated.fix = finding.fix.map(|fix| Fix {
        description: fix.description,
        safe: fix.safe,
        edits: fix.edits.into_iter().map(|(range, replacement)| Edit { span: span(range), replacement }).collect(),
    });
    match finding.rule.alias {
        Some(alias) => translated.alias(alias),
        None => translated,
    }
}

/// The one of `names` that somebody may have meant.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |other: &&str| strsim::damerau_levenshtein(name, other);
    names.min_by_key(distance).filter(|other| distance(other) <= 1 + name.len() / 4)
}

struct Plugin;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Inputs {
    paths: Vec<String>,
    #[serde(flatten)]
    config: Config,
}

impl Lint for Plugin {
    fn lint(step: &Step, sink: &Sink) -> Result<(), Failure> {
        let inputs: Inputs = step.inputs()?;
        inputs.config.validate().map_err(Failure::invalid_input)?;
        let paths: Vec<String> = step.files(&inputs.paths)?.into_iter().filter(|path| is_checked(path)).collect();
        if paths.is_empty() {
            sink.log(Level::Warn, "no YAML file and no Dockerfile matches `paths`");
        }
        let total = paths.len() as u64;
        let (mut checked, mut findings) = (0_u64, 0_u64);
        for batch in paths.chunks(BATCH) {
            if step.cancelled() {
                return Ok(());
            }
            let mut found = Vec::new();
            for path in batch {
                match std::fs::read(path) {
                    Ok(bytes) => {
                        found.append(&mut check(path, &bytes, &inputs.config));
                        checked += 1;
                    }
                    Err(error) => sink.log(Level::Warn, format!("`{path}` cannot be read: {error}")),
                }
            }
            findings += found.len() as u64;
            sink.findings(found);
            sink.progress(checked, Some(total), "");
        }
        sink.output("files", checked)?;
        sink.output("findings", findings)
    }
}

sluice_sdk::plugin!(Plugin: Lint, "plugin.yaml");
