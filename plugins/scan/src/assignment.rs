//! Finding the value that is assigned to a name, in the notations of the usual languages and formats:
//! `name = "v"`, `name: v`, `"name": "v"`, `name => 'v'`, `name: &str = "v"`, `set_name("v")`, `("name", "v")`,
//! `map["name"] = "v"`, `--name v`, `<name>v</name>`, `Name: Bearer v`.

use std::ops::Range;

use crate::file::{File, Kind};

/// A name and its literal value, both on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub name: Range<usize>,
    pub value: Range<usize>,
    /// The value stands in quotes (or between tags).
    pub quoted: bool,
}

const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 1024;

/// The assignment to the name around `keyword`. Values without quotes count only in settings, or when they look like
/// a token: letters and digits up to a blank or the end of the line.
pub fn find(file: &File, keyword: Range<usize>) -> Option<Assignment> {
    let bytes = file.bytes;
    let name = name_around(bytes, keyword)?;
    let mut at = name.end;
    let flag = name.start >= 2 && bytes[..name.start].ends_with(b"--");
    if let Some(tag) = element(bytes, &name) {
        return Some(tag);
    }
    // The end of a quoted key: `"name"`, `["name"]`.
    if matches!(bytes.get(at), Some(b'"' | b'\'' | b'`')) {
        at += 1;
    }
    // The escaped quotes of JSON inside of a string.
    if bytes[at..].starts_with(b"\\\"") {
        at += 2;
    }
    if bytes.get(at) == Some(&b']') {
        at += 1;
    }
    let gap = blanks(bytes, at);
    let operator_at = at + gap;
    let rest = &bytes[operator_at..];
    let (length, quoted_only) = match rest {
        [b':', b'=', ..] | [b'=', b'>', ..] | [b'-', b'>', ..] => (2, false),
        [b'=' | b'!', b'=', b'=', ..] => (3, true),
        [b'=' | b'!', b'=', ..] => (2, true),
        [b'?', b'=', ..] => (2, false),
        [b':' | b'=', ..] => (1, false),
        [b'(' | b',', ..] => (1, true),
        _ if flag && gap > 0 => (0, false),
        _ => return None,
    };
    at = operator_at + length;
    at += blanks(bytes, at);
    if rest.first() == Some(&b':') && length == 1 {
        at += annotation(&bytes[at..]);
    }
    at += scheme(&bytes[at..]);
    literal(file, name, at, quoted_only)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn name_around(bytes: &[u8], keyword: Range<usize>) -> Option<Range<usize>> {
    let before = bytes[..keyword.start].iter().rev().take(LONGEST_NAME + 1).take_while(|&&byte| is_name(byte)).count();
    let after = bytes[keyword.end..].iter().take(LONGEST_NAME + 1).take_while(|&&byte| is_name(byte)).count();
    if before > LONGEST_NAME || after > LONGEST_NAME {
        return None;
    }
    // Dashes in front belong to a flag, not to its name.
    let start = keyword.start - before;
    let dashes = bytes[start..keyword.start].iter().take_while(|&&byte| byte == b'-').count();
    Some(start + dashes..keyword.end + after)
}

/// `<name>value<`
fn element(bytes: &[u8], name: &Range<usize>) -> Option<Assignment> {
    if name.start == 0 || bytes[name.start - 1] != b'<' || bytes.get(name.end) != Some(&b'>') {
        return None;
    }
    let start = name.end + 1;
    let length = bytes[start..].iter().take(LONGEST_VALUE).position(|&byte| matches!(byte, b'<' | b'\n'))?;
    Some(Assignment { name: name.clone(), value: start..start + length, quoted: true })
}

fn blanks(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take(40).take_while(|&&byte| matches!(byte, b' ' | b'\t')).count()
}

/// The length of a type between `:` and `=`, with the `=` and the blanks after it.
fn annotation(rest: &[u8]) -> usize {
    let length = rest
        .iter()
        .take(48)
        .take_while(|&&byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'&' | b'\'' | b'<' | b'>' | b'_' | b' ' | b'?')
        })
        .count();
    if length > 0 && rest.get(length) == Some(&b'=') { length + 1 + blanks(rest, length + 1) } else { 0 }
}

/// The length of the scheme of an `Authorization` header.
fn scheme(rest: &[u8]) -> usize {
    [&b"Bearer "[..], b"bearer ", b"Basic ", b"Token ", b"token "]
        .iter()
        .find(|scheme| rest.starts_with(scheme))
        .map_or(0, |scheme| scheme.len())
}

fn literal(file: &File, name: Range<usize>, mut at: usize, quoted_only: bool) -> Option<Assignment> {
    let bytes = file.bytes;
    // Prefixes of string literals: `b"`, `r#"`, `u'`, `@"`, `$'`.
    let prefix = bytes[at..].iter().take(3).take_while(|byte| b"brufBRUF@$#&".contains(byte)).count();
    if prefix > 0 && matches!(bytes.get(at + prefix), Some(b'"' | b'\'')) {
        at += prefix;
    }
    let escaped = bytes[at..].starts_with(b"\\\"");
    let quote = if escaped { b'"' } else { *bytes.get(at)? };
    if matches!(quote, b'"' | b'\'' | b'`') {
        let mut start = at + 1 + usize::from(escaped);
        start += scheme(&bytes[start..]);
        let length = bytes[start..]
            .iter()
            .take(LONGEST_VALUE)
            .position(|&byte| byte == quote || byte == b'\n' || (escaped && byte == b'\\'))?;
        if bytes[start + length] == b'\n' {
            return None;
        }
        return Some(Assignment { name, value: start..start + length, quoted: true });
    }
    if quoted_only {
        return None;
    }
    // In a query of a URL, `&` begins the next name.
    let query = name.start > 0 && matches!(bytes[name.start - 1], b'?' | b'&');
    let length = bytes[at..]
        .iter()
        .take(LONGEST_VALUE)
        .take_while(|&&byte| {
            !(query && byte == b'&' || byte.is_ascii_whitespace() || b"\"'`,;<>(){}[]|\\".contains(&byte))
        })
        .count();
    let next = bytes.get(at + length).copied().unwrap_or(b'\n');
    let whole = next.is_ascii_whitespace() || (file.kind != Kind::Settings && matches!(next, b',' | b';'));
    let plain = whole || query || matches!(next, b'"' | b'\'' | b'<' | b',' | b';' | b'\\');
    (length > 0 && plain).then_some(Assignment { name, value: at..at + length, quoted: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name and value around the first `key`.
    fn parse(text: &str) -> Option<(&str, &str, bool)> {
        let file = File::new("x.rs", text.as_bytes());
        let at = text.find("key")?;
        let found = find(&file, at..at + 3)?;
        Some((&text[found.name], &text[found.value], found.quoted))
    }

    #[test]
    fn the_notations_of_assignments() {
        for (text, expected) in [
            ("key = \"v1\"", Some(("key", "v1", true))),
            ("my_key=v1", Some(("my_key", "v1", false))),
            ("export MY.keys: v1\n", Some(("MY.keys", "v1", false))),
            ("{\"key\": \"v1\"}", Some(("key", "v1", true))),
            ("{\\\"key\\\": \\\"v1\\\"}", Some(("key", "v1", true))),
            ("'key' => 'v1'", Some(("key", "v1", true))),
            ("let key: &'static str = \"v1\";", Some(("key", "v1", true))),
            ("let key = b\"v1\";", Some(("key", "v1", true))),
            ("let key = r#\"v1\"#;", Some(("key", "v1", true))),
            ("key := `v1`", Some(("key", "v1", true))),
            ("set_key(\"v1\")", Some(("set_key", "v1", true))),
            ("header(\"x-key\", \"v1\")", Some(("x-key", "v1", true))),
            ("c[\"key\"] = 'v1'", Some(("key", "v1", true))),
            ("if key === 'v1' {", Some(("key", "v1", true))),
            ("tool --api-key v1 --other", Some(("api-key", "v1", false))),
            ("tool --key=v1", Some(("key", "v1", false))),
            ("<key>v1</key>", Some(("key", "v1", true))),
            ("key: Bearer v1", Some(("key", "v1", false))),
            ("\"key\": \"Bearer v1\"", Some(("key", "v1", true))),
            ("https://a/?x=1&key=v1&y=2)", Some(("key", "v1", false))),
            ("key = get(\"v1\")", None),
            ("key = list[0]", None),
            ("a key of v1", None),
            ("key(v1)", None),
            ("key == v1", None),
            ("key = \"v1\nv2\"", None),
            ("key =", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
