//! Rules about any text.

use crate::rule::{Finding, rules};
use crate::source::Lines;

rules! {
    ENCODING = "text/encoding", None, Error, on, "a file that is not UTF-8";
    MERGE_CONFLICT = "text/merge-conflict", None, Error, on, "marks that a merge left behind";
    HIDDEN_CHARACTER = "text/hidden-character", None, Warning, on, "characters that make text look different from what it is (CVE-2021-42574)";
}

pub fn check(text: &str, lines: &Lines) -> Vec<Finding> {
    let mut found = Vec::new();
    if has_conflict(text) {
        for line in 1..=lines.count() {
            let range = lines.content(line);
            if is_conflict_mark(&text[range.clone()]) {
                found.push(Finding::new(&MERGE_CONFLICT, range, "a merge left its mark here").help("finish the merge"));
            }
        }
    }
    // ASCII, which most files are, has none.
    if !text.is_ascii() {
        for (at, c) in text.char_indices().filter(|(_, c)| is_hidden(*c)) {
            let message = format!("hidden character `U+{:04X}`", c as u32);
            found.push(
                Finding::new(&HIDDEN_CHARACTER, at..at + c.len_utf8(), message)
                    .help("remove it, or write it as an escape in double quotes"),
            );
        }
    }
    found
}

/// A file with both ends of a conflict; one alone could be anything.
pub fn has_conflict(text: &str) -> bool {
    ["<<<<<<< ", ">>>>>>> "].iter().all(|mark| text.starts_with(mark) || text.contains(&format!("\n{mark}")))
}

fn is_conflict_mark(line: &str) -> bool {
    line == "=======" || ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|mark| line.starts_with(mark))
}

/// Marks that change the direction of text, and spaces without width.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{2060}' | '\u{200e}' | '\u{200f}')
}
