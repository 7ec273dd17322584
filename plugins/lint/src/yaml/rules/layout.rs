//! Rules about the blanks between tokens.

use std::ops::Range;

use super::*;
use crate::yaml::parse::{Kind, Node, Role};
use crate::yaml::tokens::Token;

pub fn check(file: &File, found: &mut Vec<Finding>) {
    for (number, token) in file.tokens.iter().enumerate() {
        let before = number.checked_sub(1).map(|number| &file.tokens[number]);
        let after = file.tokens.get(number + 1);
        around(file, before, token, after, found);
    }
    document_start(file, found);
    indentation(file, found);
}

/// The blanks between two tokens of one line.
fn gap(file: &File, left: Option<&Token>, right: Option<&Token>) -> Option<Range<usize>> {
    let range = left?.range.end..right?.range.start;
    let text = file.text.get(range.clone())?;
    (text.chars().all(|c| c == ' ' || c == '\t') && right?.range.end <= file.yaml.end).then_some(range)
}

fn around(file: &File, before: Option<&Token>, token: &Token, after: Option<&Token>, found: &mut Vec<Finding>) {
    let left = gap(file, before, Some(token));
    let right = gap(file, Some(token), after).filter(|_| after.is_some_and(|after| after.mark != Mark::Comment));
    let is_open = |token: Option<&Token>| token.is_some_and(|token| matches!(token.mark, Mark::Open(_)));
    let mut wrong = |rule, range: Range<usize>, message: &str, wanted: &str| {
        found.push(Finding::new(rule, range.clone(), message).safe_fix("change the blanks", range, wanted));
    };
    match token.mark {
        Mark::Colon => {
            // An alias needs the blank: `*name :`.
            let property = before.is_some_and(|before| matches!(before.mark, Mark::Property | Mark::Question));
            if let Some(blank) = left.filter(|blank| !blank.is_empty() && !property) {
                wrong(&COLONS, blank, "blank before `:`", "");
            }
            if let Some(blank) = right.filter(|blank| blank.len() > 1) {
                wrong(&COLONS, blank, "more than one blank after `:`", " ");
            }
        }
        Mark::Comma => {
            if let Some(blank) = left.filter(|blank| !blank.is_empty()) {
                wrong(&COMMAS, blank, "blank before `,`", "");
            }
            match right {
                Some(blank) if blank.is_empty() => wrong(&COMMAS, blank, "no blank after `,`", " "),
                Some(blank) if blank.len() > 1 => wrong(&COMMAS, blank, "more than one blank after `,`", " "),
                _ => {}
            }
        }
        Mark::Open(bracket) => {
            if let Some(blank) = right.filter(|blank| !blank.is_empty()) {
                let rule = if bracket == '{' { &BRACES } else { &BRACKETS };
                wrong(rule, blank, &format!("blank after `{bracket}`"), "");
            }
        }
        Mark::Close(bracket) => {
            if let Some(blank) = left.filter(|blank| !blank.is_empty() && !is_open(before)) {
                let rule = if bracket == '}' { &BRACES } else { &BRACKETS };
                wrong(rule, blank, &format!("blank before `{bracket}`"), "");
            }
        }
        Mark::Dash => {
            // What stands deeper in the same line keeps its column, so there is no simple fix.
            if let Some(blank) = right.filter(|blank| blank.len() > 1) {
                found.push(Finding::new(&HYPHENS, blank, "more than one blank after `-`"));
            }
        }
        Mark::Comment => comment(file, before, token, found),
        _ => {}
    }
}

fn comment(file: &File, before: Option<&Token>, token: &Token, found: &mut Vec<Finding>) {
    let text = &file.text[token.range.clone()];
    let words = text.trim_start_matches('#');
    let shebang = token.range.start == 0 && text.starts_with("#!");
    if !words.is_empty() && !words.starts_with(char::is_whitespace) && !shebang {
        let at = token.range.start + (text.len() - words.len());
        let finding = Finding::new(&COMMENTS, token.range.start..at, "no blank after `#`");
        found.push(finding.safe_fix("add a blank", at..at, " "));
    }
    let line = file.lines.content(file.lines.line(token.range.start));
    let content = &file.text[line.start..token.range.start];
    if let Some(blank) = gap(file, before, Some(token)).filter(|_| !content.trim().is_empty())
        && blank.len() < 2
    {
        let finding =
            Finding::new(&COMMENTS, token.range.start..token.range.start + 1, "fewer than two blanks before `#`");
        found.push(finding.safe_fix("add blanks", blank, "  "));
    }
}

fn document_start(file: &File, found: &mut Vec<Finding>) {
    if let Some(first) = file.yaml.documents.first().filter(|first| !first.explicit) {
        found.push(
            Finding::new(&DOCUMENT_START, first.start..first.start, "the document begins without `---`")
                .help("put a line with `---` above"),
        );
    }
}

/// The first indented block tells the file's step; all others follow it. Sequences may also stay at the column of their
/// key.
fn indentation(file: &File, found: &mut Vec<Finding>) {
    let column = |node: &Node| file.text[..node.range.start].chars().rev().take_while(|c| *c != '\n').count();
    let mut step = None;
    for node in &file.yaml.nodes {
        let (Role::Value(key), Some(parent)) = (node.role, node.parent) else { continue };
        let key = &file.yaml.nodes[key];
        let sequence = match node.kind {
            Kind::Mapping { flow: false } => false,
            Kind::Sequence { flow: false } => true,
            _ => continue,
        };
        let parent = &file.yaml.nodes[parent];
        let first_on_line = file.text[..node.range.start].chars().rev().take_while(|c| *c != '\n').all(|c| c == ' ');
        if parent.is_flow() || !first_on_line {
            continue;
        }
        let (outer, inner) = (column(key), column(node));
        if inner == outer && sequence {
            continue;
        }
        let Some(width) = inner.checked_sub(outer) else { continue };
        let wanted = *step.get_or_insert(width);
        if width != wanted {
            let line = file.text[..node.range.start].rfind('\n').map_or(0, |newline| newline + 1);
            let message = format!("indented by {width}, where the file has {wanted}");
            found.push(Finding::new(&INDENTATION, line..node.range.start, message));
        }
    }
}
