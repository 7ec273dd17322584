//! The forms in which a value leaks and which cannot be undone by looking at the text differently.

use std::collections::BTreeSet;
use std::ops::Range;

use super::SHORTEST_VALUE;

/// Characters in a line of `base64` (RFC 2045), of PEM, and of `xxd -p`.
const LINE_LENGTHS: [(usize, bool); 3] = [(76, false), (64, false), (60, true)];
/// Shorter pieces of a form that was cut into lines are not looked for.
const SHORTEST_PIECE: usize = 8;

/// One form of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Form {
    pub text: String,
    /// Whether the character before it, in base64, holds bits of the value.
    before: bool,
    /// Whether the one after it does.
    after: bool,
}

impl Form {
    fn plain(text: String) -> Self {
        Self { text, before: false, after: false }
    }

    /// The place of the form with all that holds bits of the value.
    pub fn widen(&self, text: &[u8], found: Range<usize>) -> Range<usize> {
        let is_base64 = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(b));
        let (mut start, mut end) = (found.start, found.end);
        if self.before && start > 0 && is_base64(text.get(start - 1)) {
            start -= 1;
        }
        if self.after {
            end += usize::from(is_base64(text.get(end)));
            end += text[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
        }
        start..end
    }
}

/// All forms of one value, each of which is long enough to be looked for.
pub fn of(value: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    // Cleaning a text for a terminal makes line feeds of carriage returns; programs trim what they read.
    let spellings = [value, value.trim(), &value.replace("\r\n", "\n").replace('\r', "\n")].map(str::to_owned);
    for value in BTreeSet::from(spellings).iter().filter(|value| value.len() >= SHORTEST_VALUE) {
        forms.push(Form::plain(value.clone()));
        forms.extend(escaped(value).into_iter().map(Form::plain));
        let bytes = value.as_bytes();
        let hex = [hex(bytes, b"0123456789abcdef"), hex(bytes, b"0123456789ABCDEF")];
        let base64 = (0..3).map(|offset| base64_within(bytes, offset));
        let with_line_feed = base64_within(&[bytes, b"\n"].concat(), 0).text;
        forms.extend(base64.flat_map(|form| {
            let url_safe = form.text.replace('+', "-").replace('/', "_");
            [Form { text: url_safe, ..form.clone() }, form]
        }));
        for (length, is_hex) in LINE_LENGTHS {
            let whole = if is_hex { &hex[0] } else { &with_line_feed };
            forms.extend(pieces(whole, length).map(Form::plain));
        }
        forms.extend(hex.map(Form::plain));
    }
    forms.extend(url_parts(value).into_iter().map(Form::plain));
    if value.contains(['\n', '\r']) {
        forms.extend(value.split(['\n', '\r']).map(|line| Form::plain(line.trim().to_owned())));
    }
    forms.retain(|form| form.text.len() >= SHORTEST_VALUE);
    forms
}

/// Of a URL, which may be a secret as a whole: what stands in the first line of a request.
fn url_parts(value: &str) -> Vec<String> {
    let Some((_, rest)) = value.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme)) else {
        return Vec::new();
    };
    let path = rest.find(['/', '?']).map_or("", |start| &rest[start..]).trim_end();
    let mut parts = vec![path.to_owned(), path.split('?').next().unwrap_or_default().to_owned()];
    parts.retain(|part| part.len() >= SHORTEST_PIECE);
    parts
}

/// A text in lines of a length, if it needs several.
fn pieces(text: &str, length: usize) -> impl Iterator<Item = String> {
    let several = text.len() > length;
    let lines = text.as_bytes().chunks(length).filter(move |line| several && line.len() >= SHORTEST_PIECE);
    lines.map(|line| line.iter().copied().map(char::from).collect())
}

/// Quoted for a shell, and for XML by the habits of several libraries.
fn escaped(value: &str) -> Vec<String> {
    let xml = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut forms = vec![
        value.replace('\'', r"'\''"),
        xml.replace('"', "&quot;"),
        xml.replace('"', "&quot;").replace('\'', "&#39;"),
        xml.replace('"', "&#34;").replace('\'', "&#39;"),
        xml.replace('"', "&quot;").replace('\'', "&#x27;"),
        xml.replace('"', "&quot;").replace('\'', "&apos;"),
        xml,
    ];
    forms.retain(|form| form != value);
    forms
}

fn hex(value: &[u8], digits: &[u8; 16]) -> String {
    value.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(digits[usize::from(digit)])).collect()
}

/// The characters of a base64 text (RFC 4648) that depend on nothing but the value, when the value begins `offset`
/// bytes after a group of three.
fn base64_within(value: &[u8], offset: usize) -> Form {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = [&vec![0; offset], value].concat();
    let bit = |i: usize| bytes[i / 8] >> (7 - i % 8) & 1;
    let first = (offset * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    let text = (first..last)
        .map(|i| (0..6).fold(0, |six, j| six << 1 | bit(i * 6 + j)))
        .map(|six| char::from(ALPHABET[usize::from(six)]))
        .collect();
    Form { text, before: offset > 0, after: !(bytes.len() * 8).is_multiple_of(6) }
}
