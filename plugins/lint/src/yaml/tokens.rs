//! The marks between the scalars: what indicators, comments and line breaks of the file are, from the places of the
//! scalars that the parser found.

use std::ops::Range;

use super::parse::{Kind, Yaml};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    Scalar,
    Comment,
    /// `-` of a sequence.
    Dash,
    Colon,
    Question,
    Comma,
    /// `{` or `[`.
    Open(char),
    /// `}` or `]`.
    Close(char),
    /// An anchor, an alias or a tag.
    Property,
    /// `|` or `>` with what follows them.
    BlockHeader,
    /// `---`, `...` or a directive.
    Document,
}

#[derive(Clone, Debug)]
pub struct Token {
    pub mark: Mark,
    pub range: Range<usize>,
}

/// All tokens up to where the parser came; behind that, only comments that have a line for themselves.
pub fn tokens(text: &str, yaml: &Yaml) -> Vec<Token> {
    let mut scalars: Vec<_> = yaml
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, Kind::Scalar { .. }) && !node.range.is_empty())
        .map(|node| node.range.clone())
        .collect();
    scalars.sort_by_key(|range| range.start);
    let mut scalars = scalars.into_iter().peekable();
    let mut tokens = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while at < yaml.end {
        while scalars.next_if(|scalar| scalar.start < at).is_some() {}
        if let Some(range) = scalars.next_if(|scalar| scalar.start == at) {
            at = range.end;
            tokens.push(Token { mark: Mark::Scalar, range });
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (mark, length) = token(text, at, c);
        tokens.push(Token { mark, range: at..at + length });
        at += length;
    }
    let mut line = text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
    while line < text.len() {
        let end = text[line..].find('\n').map_or(text.len(), |length| line + length);
        let content = text[line..end].trim_end();
        let start = line + (content.len() - content.trim_start().len());
        if text[start..].starts_with('#') {
            tokens.push(Token { mark: Mark::Comment, range: start..line + content.len() });
        }
        line = end + 1;
    }
    tokens
}

/// Kind and length of the token at an offset, which is no scalar.
fn token(text: &str, at: usize, c: char) -> (Mark, usize) {
    let rest = &text[at..];
    let line_start = at == 0 || text[..at].ends_with(['\n', '\u{feff}']);
    let line = || rest.split(['\n', '\r']).next().unwrap_or_default().trim_end().len();
    let word = |stops: &[char]| rest.find(|c: char| c.is_whitespace() || stops.contains(&c)).unwrap_or(rest.len());
    match c {
        '#' => (Mark::Comment, line()),
        '%' if line_start => (Mark::Document, line()),
        '-' | '.' if line_start && (rest.starts_with("---") || rest.starts_with("...")) => (Mark::Document, 3),
        '-' => (Mark::Dash, 1),
        ':' => (Mark::Colon, 1),
        '?' => (Mark::Question, 1),
        ',' => (Mark::Comma, 1),
        '{' | '[' => (Mark::Open(c), 1),
        '}' | ']' => (Mark::Close(c), 1),
        '&' | '*' | '!' => (Mark::Property, word(&[',', '[', ']', '{', '}']).max(1)),
        '|' | '>' => (Mark::BlockHeader, word(&[])),
        // Only after an error of the parser's places; one character at a time finds the way back.
        _ => (Mark::Scalar, c.len_utf8()),
    }
}
