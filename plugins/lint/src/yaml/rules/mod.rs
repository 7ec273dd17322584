//! The rules for YAML. The names of yamllint's rules are aliases; what a rule does and says is ours.

mod layout;
mod lines;
mod nodes;

use super::File;
use super::tokens::Mark;
use crate::Config;
use crate::rule::{Finding, rules};

rules! {
    SYNTAX = "yaml/syntax", Some("syntax"), Error, on, "text that is no YAML";
    TEMPLATE = "yaml/template", None, Info, on, "a template that becomes YAML later; only its lines are checked";
    DUPLICATE_KEY = "yaml/duplicate-key", Some("key-duplicates"), Error, on, "a key that its mapping has already";
    UNDEFINED_ALIAS = "yaml/undefined-alias", Some("anchors"), Error, on, "an alias without anchor";
    DUPLICATE_ANCHOR = "yaml/duplicate-anchor", Some("anchors"), Info, on, "an anchor that replaces an earlier one";
    UNUSED_ANCHOR = "yaml/unused-anchor", Some("anchors"), Info, off, "an anchor without alias";
    TRUTHY = "yaml/truthy", Some("truthy"), Warning, on, "`yes`, `on` and their kind, true for some readers and text for others";
    OCTAL = "yaml/octal", Some("octal-values"), Warning, on, "a number with a leading zero, octal for some readers";
    EMPTY_VALUE = "yaml/empty-value", Some("empty-values"), Info, off, "a key without value";
    INDENTATION = "yaml/indentation", Some("indentation"), Info, on, "indentation that differs from the rest of the file";
    COLONS = "yaml/colons", Some("colons"), Info, on, "blanks before a `:`, or more than one after it";
    COMMAS = "yaml/commas", Some("commas"), Info, on, "blanks before a `,`, or not exactly one after it";
    BRACES = "yaml/braces", Some("braces"), Info, off, "blanks inside of `{}`";
    BRACKETS = "yaml/brackets", Some("brackets"), Info, on, "blanks inside of `[]`";
    HYPHENS = "yaml/hyphens", Some("hyphens"), Info, on, "more than one blank after a `-`";
    COMMENTS = "yaml/comments", Some("comments"), Info, off, "comments without a blank after `#` or two before it";
    DOCUMENT_START = "yaml/document-start", Some("document-start"), Info, off, "a file without `---`";
    TRAILING_SPACES = "yaml/trailing-spaces", Some("trailing-spaces"), Info, on, "blanks at the end of a line";
    FINAL_NEWLINE = "yaml/final-newline", Some("new-line-at-end-of-file"), Info, on, "a last line without line break";
    EMPTY_LINES = "yaml/empty-lines", Some("empty-lines"), Info, on, "more than two blank lines, or any at the beginning or end";
    LINE_ENDINGS = "yaml/line-endings", Some("new-lines"), Warning, on, "lines that end with CR LF";
    LINE_LENGTH = "yaml/line-length", Some("line-length"), Info, off, "lines longer than the input `line-length`";
}

/// Runs all rules.
pub fn check(file: &File, config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    syntax(file, &mut found);
    nodes::check(file, &mut found);
    layout::check(file, &mut found);
    lines::check(file, config, &mut found);
    found
}

fn syntax(file: &File, found: &mut Vec<Finding>) {
    let Some(error) = &file.yaml.error else { return };
    // A merge conflict has a finding of its own, and that is all the reason.
    if crate::text::has_conflict(file.text) {
        return;
    }
    let rest = &file.text[error.at..];
    let end = error.at + rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    // `${{ }}` is an expression inside of a scalar.
    let mut braces = file.text.match_indices("{{");
    if file.text.contains("{%") || braces.any(|(at, _)| !file.text[..at].ends_with('$')) {
        found.push(Finding::new(&TEMPLATE, error.at..end, "this is a template: only its lines were checked"));
        return;
    }
    let finding =
        Finding::new(&SYNTAX, error.at..end, format!("no valid YAML: {}", error.message.trim_end_matches('.')));
    found.push(match help(file.text, error.at, &error.message) {
        Some(help) => finding.help(help),
        None => finding,
    });
}

fn help(text: &str, at: usize, message: &str) -> Option<&'static str> {
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[line..].split('\n').next().unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start().len()];
    if indent.contains('\t') || message.contains("tab") {
        Some("indent with spaces: YAML forbids tabs there")
    } else if message.contains("mapping values") || (message.contains("simple key") && line.matches(": ").count() > 1) {
        Some("if the `:` belongs to a value, put the value into quotes")
    } else if message.contains("illegal placement") {
        Some("if a `[` or `{` before was not closed, close it")
    } else if message.contains("quoted scalar") {
        Some("close the quote, or double it if it belongs to the text")
    } else {
        None
    }
}
