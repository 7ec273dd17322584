use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::SecretValues;

/// Shorter values are not masked: they would be found in ordinary words.
const SHORTEST_VALUE: usize = 4;
/// Shorter pieces of a value in another form are not looked for.
const SHORTEST_FORM: usize = 6;
const MASKED: &str = "***";

/// Finds the values of secrets in texts, in the forms in which they usually leak: as they are, line by line, in base64
/// at any alignment, percent-encoded, escaped for JSON.
#[derive(Debug, Default)]
pub struct Mask {
    finder: Option<AhoCorasick>,
}

impl Mask {
    pub fn new(values: &SecretValues) -> Self {
        let mut forms = Vec::new();
        for value in values.all().filter(|value| value.len() >= SHORTEST_VALUE) {
            forms.push(value.to_owned());
            forms.extend(other_forms(value).into_iter().filter(|form| form.len() >= SHORTEST_FORM));
        }
        forms.sort_unstable();
        forms.dedup();
        if forms.is_empty() {
            return Self::default();
        }
        // A finder that cannot be built (gigabytes of secrets) must not let texts through unmasked.
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&forms)
            .expect("the secrets of one machine are far below the limit of 2^31 bytes");
        Self { finder: Some(finder) }
    }

    /// The text with every secret replaced by `***`.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.finder {
            Some(finder) if finder.is_match(text) => {
                let mut masked = String::with_capacity(text.len());
                finder.replace_all_with(text, &mut masked, |_, _, out| {
                    out.push_str(MASKED);
                    true
                });
                Cow::Owned(masked)
            }
            _ => Cow::Borrowed(text),
        }
    }
}

fn other_forms(value: &str) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    if value.contains('\n') {
        forms.extend(value.lines().map(|line| line.trim().to_owned()));
        forms.push(value.replace('\n', "\\n"));
    }
    forms.push(value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    forms.push(percent_encoded(value, |byte| format!("%{byte:02X}")));
    forms.push(percent_encoded(value, |byte| format!("%{byte:02x}")));
    for offset in 0..3 {
        let standard = base64_within(value.as_bytes(), offset);
        forms.push(standard.replace('+', "-").replace('/', "_"));
        forms.push(standard);
    }
    forms
}

fn percent_encoded(value: &str, encode: impl Fn(u8) -> String) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { encode(byte) }).collect()
}

/// The characters of a base64 text (RFC 4648) that depend on nothing but the value, when the value begins `offset`
/// bytes after a group of three.
fn base64_within(value: &[u8], offset: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = [&vec![0; offset], value].concat();
    let bit = |i: usize| bytes[i / 8] >> (7 - i % 8) & 1;
    let first = (offset * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    (first..last)
        .map(|i| (0..6).fold(0, |six, j| six << 1 | bit(i * 6 + j)))
        .map(|six| char::from(ALPHABET[usize::from(six)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_the_forms_in_which_they_leak() {
        let secret = "hunter2/ä?\"x\"";
        let mask = Mask::new(&[("S".to_owned(), secret.to_owned())].into_iter().collect());
        // The base64 forms were made with coreutils: printf %s TEXT | base64
        for (text, masked) in [
            ("nothing here", "nothing here"),
            ("a hunter2/ä?\"x\" b", "a *** b"),
            (r#"{"v": "hunter2/ä?\"x\""}"#, r#"{"v": "***"}"#),
            ("q=hunter2%2F%C3%A4%3F%22x%22&", "q=***&"),
            ("aHVudGVyMi/DpD8ieCI=", "***I="),
            ("YWh1bnRlcjIvw6Q/Ingi", "YW***"),
            ("YWFodW50ZXIyL8OkPyJ4Ig==", "YWF***g=="),
        ] {
            assert_eq!(mask.apply(text), masked);
        }
    }

    #[test]
    fn every_line_of_a_long_secret_is_masked() {
        let mask = Mask::new(&[("K".to_owned(), "-----BEGIN KEY-----\nabcdefgh\n".to_owned())].into_iter().collect());
        assert_eq!(mask.apply("> abcdefgh <"), "> *** <");
    }

    #[test]
    fn very_short_secrets_do_not_eat_the_text() {
        let mask = Mask::new(&[("S".to_owned(), "on".to_owned())].into_iter().collect());
        assert_eq!(mask.apply("one on one"), "one on one");
    }
}
