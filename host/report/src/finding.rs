//! Findings: a line each, and a frame of code for those that fail a step.

use std::collections::HashMap;

use sluice_model::finding::FileSpan;
use sluice_model::{Finding, Severity};

use crate::look::{BOLD, CYAN, DIM, Look, severity_style};
use crate::{Options, excerpt, text};

/// So many findings of one step get a frame; the others a line.
const MAX_FRAMES: usize = 20;

/// How much is said about findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// A line each.
    Lines,
    /// With frames and helps for the worst.
    Frames,
}

/// The findings of one step in the order of their places. `prefix` begins every line that has a place, `width` is that
/// of the frames in columns.
pub fn render(findings: &[Finding], detail: Detail, prefix: &str, options: &Options, width: usize) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.span.as_ref().map(|span| (&span.path, span.start_line, span.start_column)));
    let framed_from = framed_from(findings);
    let mut frames = MAX_FRAMES;
    let mut files: HashMap<&str, Option<String>> = HashMap::new();
    let mut out = String::new();
    for finding in sorted {
        out.push_str(&format!("{prefix}{}\n", line(finding, options.look)));
        if detail == Detail::Lines || finding.severity < framed_from || frames == 0 {
            continue;
        }
        frames -= 1;
        if let Some(span) = &finding.span {
            let file = files.entry(&span.path).or_insert_with(|| (options.read_source)(&span.path));
            if let Some(file) = file {
                let hidden: Vec<_> = findings.iter().filter_map(|other| secret(other, &span.path)).collect();
                let style = severity_style(finding.severity).bold();
                out.push_str(&excerpt::render(file, span, &hidden, style, options.look, width));
            }
        }
        if let Some(help) = &finding.help {
            let help = text::clean_lines(help, options.look).replace('\n', "\n        ");
            out.push_str(&format!("  {} {help}\n", options.look.paint(CYAN, "help:")));
        }
    }
    out
}

/// Errors and warnings get frames, but warnings only when errors leave room.
fn framed_from(findings: &[Finding]) -> Severity {
    let at_least = |severity| findings.iter().filter(|finding| finding.severity >= severity).count();
    match (at_least(Severity::Error), at_least(Severity::Warning)) {
        (0, 0) => Severity::Info,
        (MAX_FRAMES.., _) => Severity::Error,
        _ => Severity::Warning,
    }
}

/// The place of a secret in this file. A report must not show what a scan keeps to itself.
fn secret<'a>(finding: &'a Finding, path: &str) -> Option<&'a FileSpan> {
    let is_secret = finding.rule.starts_with("secret/") || finding.properties.contains_key("fingerprint");
    finding.span.as_ref().filter(|span| is_secret && span.path == path)
}

/// `app/Dockerfile:1:6 warning the base image has no tag [dockerfile/pin-base-image DL3006]`
fn line(finding: &Finding, look: Look) -> String {
    let place = finding.span.as_ref().map(|span| {
        let place = format!("{}:{}:{}", text::clean(&span.path, look), span.start_line, span.start_column);
        format!("{} ", look.paint(BOLD, place))
    });
    let alias = finding.properties.get("alias").map(|alias| format!(" {}", text::clean(alias, look)));
    let rule = format!("[{}{}]", text::clean(&finding.rule, look), alias.unwrap_or_default());
    format!(
        "{}{} {} {}",
        place.unwrap_or_default(),
        look.paint(severity_style(finding.severity), finding.severity),
        text::clean(&finding.message, look),
        look.paint(DIM, rule)
    )
}
