//! What the owner of the files has declared harmless.

use regex::bytes::{Regex, RegexBuilder};

/// Comments that make findings on their own line harmless.
const SAME_LINE: &[&str] = &["sluice-scan:allow", "gitleaks:allow", "pragma: allowlist secret"];
/// Comments that make findings on the next line harmless.
const NEXT_LINE: &[&str] = &["sluice-scan:allow-next-line", "pragma: allowlist nextline secret"];

/// The input `allow`.
#[derive(Debug, Default)]
pub struct Allowed {
    fingerprints: Vec<String>,
    patterns: Vec<Regex>,
}

impl Allowed {
    /// Entries of 32 hexadecimal digits are fingerprints, all others regular expressions for the whole or a part of the
    /// secret. All malformed ones are told at once.
    pub fn new(entries: &[String]) -> Result<Self, Vec<String>> {
        let mut allowed = Self::default();
        let mut problems = Vec::new();
        for entry in entries {
            if entry.len() == 32 && entry.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                allowed.fingerprints.push(entry.to_ascii_lowercase());
                continue;
            }
            match RegexBuilder::new(entry).unicode(false).build() {
                Ok(pattern) => allowed.patterns.push(pattern),
                Err(_) => {
                    problems.push(format!("`{entry}` in `allow` is neither a fingerprint nor a regular expression"))
                }
            }
        }
        if problems.is_empty() { Ok(allowed) } else { Err(problems) }
    }

    pub fn secret(&self, secret: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(secret))
    }

    pub fn fingerprint(&self, fingerprint: &str) -> bool {
        self.fingerprints.iter().any(|known| known == fingerprint)
    }
}

/// Whether a comment on one of the lines of `start..end`, or on the line before, allows what is there.
pub fn by_comment(bytes: &[u8], start: usize, end: usize) -> bool {
    let first = line_start(bytes, start);
    let last = line_end(bytes, end);
    let has = |line: &[u8], marks: &[&str]| {
        marks.iter().any(|mark| line.windows(mark.len()).any(|text| text.eq_ignore_ascii_case(mark.as_bytes())))
    };
    let head = &bytes[first..line_end(bytes, start)];
    let tail = &bytes[line_start(bytes, end)..last];
    // The mark for the next line has the other one in it.
    let same = |line: &[u8]| has(line, SAME_LINE) && !has(line, &NEXT_LINE[..1]);
    same(head) || same(tail) || first > 0 && has(&bytes[line_start(bytes, first - 1)..first - 1], NEXT_LINE)
}

/// Lines are looked through for 4 KiB in each direction, so that one without end costs no time.
const WIDEST: usize = 4096;

fn line_start(bytes: &[u8], at: usize) -> usize {
    let floor = at.saturating_sub(WIDEST);
    bytes[floor..at].iter().rposition(|&byte| byte == b'\n').map_or(floor, |found| floor + found + 1)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let ceiling = bytes.len().min(at + WIDEST);
    bytes[at..ceiling].iter().position(|&byte| byte == b'\n').map_or(ceiling, |found| at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_allow_a_line() {
        for (text, allowed) in [
            ("a\nSECRET # sluice-scan:allow\nb", true),
            ("a\nSECRET // gitleaks:allow\nb", true),
            ("a\nSECRET # Pragma: Allowlist Secret\nb", true),
            ("# sluice-scan:allow-next-line\nSECRET\nb", true),
            ("# pragma: allowlist nextline secret\nSECRET\nb", true),
            ("# sluice-scan:allow\nSECRET\nb", false),
            ("a\nSECRET # sluice-scan:allow-next-line\nb", false),
            ("a\nSECRET\n# gitleaks:allow", false),
        ] {
            let at = text.find("SECRET").expect("every case has one");
            assert_eq!(by_comment(text.as_bytes(), at, at + 6), allowed, "{text}");
        }
    }

    #[test]
    fn malformed_entries_are_told_together() {
        let entries = ["^ok$", "(", "[", "00112233445566778899aabbccddeeff"].map(str::to_owned);
        assert_eq!(
            Allowed::new(&entries).expect_err("two are malformed"),
            [
                "`(` in `allow` is neither a fingerprint nor a regular expression",
                "`[` in `allow` is neither a fingerprint nor a regular expression"
            ]
        );
    }
}
