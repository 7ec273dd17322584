//! Splits the arguments of an instruction.

use std::ops::Range;

use super::logical::Logical;

/// One word, its quotes taken off.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub text: String,
    /// In the source.
    pub range: Range<usize>,
    /// Whether its value is known only when the build runs: it holds `$`.
    pub dynamic: bool,
}

/// Splits at blanks that are neither quoted nor escaped.
pub fn split(logical: &Logical, range: Range<usize>, escape: char) -> Vec<Word> {
    raw(&logical.text, range, escape)
        .into_iter()
        .map(|(range, text)| Word { dynamic: text.contains('$'), text, range: logical.source(range) })
        .collect()
}

/// Words as ranges of the text, with their unquoted value.
fn raw(text: &str, range: Range<usize>, escape: char) -> Vec<(Range<usize>, String)> {
    let mut words = Vec::new();
    let mut current: Option<(usize, String)> = None;
    let mut quote = None;
    let mut chars = text[range.clone()].char_indices().map(|(at, c)| (range.start + at, c)).peekable();
    while let Some((at, c)) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            words.extend(current.take().map(|(start, value)| (start..at, value)));
            continue;
        }
        let (_, value) = current.get_or_insert_with(|| (at, String::new()));
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None | Some('"'), _) if c == escape => value.extend(chars.next().map(|(_, c)| c)),
            _ => value.push(c),
        }
    }
    words.extend(current.map(|(start, value)| (start..range.end, value)));
    words
}

/// The here-documents that the words announce: where, the closing word, and whether leading tabs are cut.
pub fn heredocs(logical: &Logical, range: Range<usize>, escape: char) -> Vec<(Range<usize>, String, bool)> {
    let mut found = Vec::new();
    for (range, word) in raw(&logical.text, range, escape) {
        let unquoted = logical.text[range.clone()].trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("<<");
        let name = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<");
        let Some(name) = name.filter(|_| unquoted) else { continue };
        let (name, tabs) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        if !name.is_empty() && !name.contains('<') {
            found.push((logical.source(range), name.to_owned(), tabs));
        }
    }
    found
}

/// Reads `["a", "b"]`: a JSON array of nothing but strings.
pub fn json(logical: &Logical, range: Range<usize>) -> Option<Vec<Word>> {
    let text = &logical.text[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    let text = text.trim();
    let values: Vec<String> = serde_json::from_str(text).ok()?;
    // The array is known to be right, so every other quote that is not escaped closes a string.
    let mut quotes = Vec::new();
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quotes.push(start + at),
            _ => {}
        }
    }
    let ranges = quotes.chunks_exact(2).map(|pair| logical.source(pair[0]..pair[1] + 1));
    Some(values.into_iter().zip(ranges).map(|(text, range)| Word { dynamic: false, text, range }).collect())
}
