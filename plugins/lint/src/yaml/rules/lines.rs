//! Rules about lines, for which nothing has to be parsed.

use super::*;

/// More blank lines in a row are too many.
const MAX_EMPTY: usize = 2;

pub fn check(file: &File, config: &Config, found: &mut Vec<Finding>) {
    let (text, lines) = (file.text, file.lines);
    let mut empty = 0;
    let mut crlf = None;
    for line in 1..=lines.count() {
        let range = lines.content(line);
        let content = &text[range.clone()];
        let trimmed = content.trim_end_matches([' ', '\t']);
        if trimmed.len() < content.len() {
            let blank = range.start + trimmed.len()..range.end;
            let finding = Finding::new(&TRAILING_SPACES, blank.clone(), "blanks at the end of the line");
            // In a block scalar they are part of the value.
            let safe = !inside_scalar(file, blank.start);
            found.push(finding.fix("remove them", safe, blank, ""));
        }
        if content.chars().count() > config.line_length && breakable(content) {
            let over = content.char_indices().nth(config.line_length).map_or(range.end, |(at, _)| range.start + at);
            let message =
                format!("line has {} characters, allowed are {}", content.chars().count(), config.line_length);
            found.push(Finding::new(&LINE_LENGTH, over..range.end, message));
        }
        if crlf.is_none() && text[range.end..].starts_with("\r\n") {
            crlf = Some(range.end);
        }
        let last = line == lines.count();
        if content.is_empty() {
            empty += 1;
        }
        if !content.is_empty() || last {
            let first_empty = if content.is_empty() { line + 1 - empty } else { line - empty };
            let border = first_empty == 1 || (last && content.is_empty());
            if empty > if border { 0 } else { MAX_EMPTY } {
                let allowed = if border { 0 } else { MAX_EMPTY };
                let range = lines.full(first_empty + allowed).start..lines.full(first_empty + empty - 1).end;
                let place = if first_empty == 1 {
                    "at the beginning of the file"
                } else if border {
                    "at the end of the file"
                } else {
                    "in a row"
                };
                let safe = !inside_scalar(file, range.start);
                let message = format!("{empty} blank line{} {place}", if empty == 1 { "" } else { "s" });
                found.push(Finding::new(&EMPTY_LINES, range.clone(), message).fix("remove them", safe, range, ""));
            }
            empty = 0;
        }
    }
    if let Some(at) = crlf {
        found.push(Finding::new(&LINE_ENDINGS, at..at + 1, "lines end with CR LF").help("end lines with LF alone"));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        let finding = Finding::new(&FINAL_NEWLINE, text.len()..text.len(), "the last line has no line break");
        found.push(finding.safe_fix("add one", text.len()..text.len(), "\n"));
    }
}

/// Whether a line has a blank where it could be broken: not that of its indentation, a `-` or a `#`.
fn breakable(line: &str) -> bool {
    let words = line.trim_start_matches([' ', '-', '#']);
    words.trim_end().contains(' ')
}

fn inside_scalar(file: &File, at: usize) -> bool {
    let next = file.tokens.partition_point(|token| token.range.start < at);
    let before = next.checked_sub(1).map(|number| &file.tokens[number]);
    at >= file.yaml.end || before.is_some_and(|token| token.mark == Mark::Scalar && at < token.range.end)
}
