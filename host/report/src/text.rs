//! Text that is safe to show, and numbers as people read them.

use std::borrow::Cow;

use sluice_model::event::FindingCounts;
use unicode_width::UnicodeWidthChar;

use crate::look::Look;

/// Makes one line of text harmless: no control character passes, so no escape sequence does; nothing turns the direction
/// of writing. What is replaced stays visible: ESC shows as `␛`, or as `?` without Unicode. Tabs become four spaces. No
/// command to a CI system passes either: a space breaks it.
pub fn clean(text: &str, look: Look) -> Cow<'_, str> {
    if speaks_to_ci(text) {
        // Twice, for the pairs that began within others.
        let broken = text.replace("##", "# #").replace("##", "# #");
        let rest = broken.trim_start();
        let start = &broken[..broken.len() - rest.len()];
        let broken = rest.strip_prefix("::").map_or_else(|| broken.clone(), |rest| format!("{start}: :{rest}"));
        return Cow::Owned(shown(&broken, look).into_owned());
    }
    shown(text, look)
}

/// Whether a CI system that reads the log could take a part of it for a command: `::set-env`, `##[group]`,
/// `##vso[task.setvariable]`, `##teamcity[message]`. Sources: the runners of GitHub and Azure, which look for `##[` and
/// `##vso[` anywhere in a line and for `::` after white space; TeamCity's service messages.
fn speaks_to_ci(text: &str) -> bool {
    let bracket = |rest: &str| {
        let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
        name.starts_with('[')
    };
    text.trim_start().starts_with("::")
        || text.match_indices('#').any(|(at, _)| text[at + 1..].strip_prefix('#').is_some_and(bracket))
}

fn shown(text: &str, look: Look) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\t' => clean.push_str("    "),
            c if is_harmless(c) => clean.push(c),
            c => clean.push(picture(c, look)),
        }
    }
    Cow::Owned(clean)
}

/// The lines of a log entry.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// As [`clean`], but keeps line feeds.
pub fn clean_lines(text: &str, look: Look) -> String {
    lines(text).map(|line| clean(line, look)).collect::<Vec<_>>().join("\n")
}

pub fn is_harmless(c: char) -> bool {
    !c.is_control() && !turns_direction(c)
}

/// Marks that make text read in another order than it is written: <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>;
/// and line and paragraph separators.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What stands for a character that must not pass.
pub fn picture(c: char, look: Look) -> char {
    match u32::from(c) {
        _ if !look.unicode => '?',
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or('?'),
        0x7f => '␡',
        _ => '\u{fffd}',
    }
}

/// Cuts text to so many columns, with `…` if something is lost.
pub fn fit(text: &str, columns: usize, look: Look) -> Cow<'_, str> {
    let mut used = 0;
    let mut cut = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return match columns {
                0 => Cow::Borrowed(""),
                _ => Cow::Owned(format!("{}{}", &text[..cut], look.pick('…', '~'))),
            };
        }
        if used < columns {
            cut = at + c.len_utf8();
        }
    }
    Cow::Borrowed(text)
}

/// `0.12s`, `42.10s`, `2m 05s`, `1h 02m 05s`
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds}.{:02}s", ms % 1000 / 10),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m {:02}s", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// `just now`, `5 minutes ago`, `3 days ago`
pub fn ago(ms: u64) -> String {
    match ms / 1000 {
        0..60 => "just now".to_owned(),
        seconds @ 60..3600 => format!("{} ago", count(seconds / 60, "minute")),
        seconds @ 3600..86_400 => format!("{} ago", count(seconds / 3600, "hour")),
        seconds => format!("{} ago", count(seconds / 86_400, "day")),
    }
}

/// `812 B`, `1.2 kB`, `3.4 MB`: powers of 1000.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// `1 warning`, `2 warnings`
pub fn count(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// `2 errors, 1 warning`; empty without findings.
pub fn findings(counts: FindingCounts) -> String {
    let named = [(counts.error, "error"), (counts.warning, "warning"), (counts.info, "info")];
    let parts = named.into_iter().filter(|(number, _)| *number > 0);
    parts.map(|(number, name)| count(number, name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNICODE: Look = Look { color: false, unicode: true };
    const ASCII: Look = Look { color: false, unicode: false };

    #[test]
    fn nothing_speaks_to_the_terminal() {
        let table = [
            ("plain ünïcödé 漢字", "plain ünïcödé 漢字", "plain ünïcödé 漢字"),
            ("\u{1b}[31mred\u{1b}[0m", "␛[31mred␛[0m", "?[31mred?[0m"),
            ("\u{1b}]0;title\u{7}", "␛]0;title␇", "?]0;title?"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "␛]8;;http://x␛\\link", "?]8;;http://x?\\link"),
            ("10%\r100%", "10%␍100%", "10%?100%"),
            ("\u{9b}2J\u{9d}0;x\u{9c}", "\u{fffd}2J\u{fffd}0;x\u{fffd}", "?2J?0;x?"),
            ("a\u{8}b\u{7f}\0", "a␈b␡␀", "a?b??"),
            ("a\tb", "a    b", "a    b"),
            ("nice\u{202e}cod.exe\u{2066}", "nice\u{fffd}cod.exe\u{fffd}", "nice?cod.exe?"),
        ];
        for (text, unicode, ascii) in table {
            assert_eq!(clean(text, UNICODE), unicode);
            assert_eq!(clean(text, ASCII), ascii);
        }
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let shown = clean(c.encode_utf8(&mut [0; 4]), UNICODE).into_owned();
            assert!(!shown.chars().any(char::is_control), "{c:?}");
        }
    }

    #[test]
    fn nothing_speaks_to_a_ci_system() {
        let table = [
            ("::set-env name=PATH::/tmp", ": :set-env name=PATH::/tmp"),
            ("  ::add-mask::x", "  : :add-mask::x"),
            ("says ##[set-output name=x]y", "says # #[set-output name=x]y"),
            ("##vso[task.setvariable variable=x]y", "# #vso[task.setvariable variable=x]y"),
            ("###teamcity[message text='x']", "# # #teamcity[message text='x']"),
            ("## a heading", "## a heading"),
            ("std::fs::read", "std::fs::read"),
            ("\u{1b}[0m##[error]x", "␛[0m# #[error]x"),
        ];
        for (text, expected) in table {
            assert_eq!(clean(text, UNICODE), expected, "{text}");
            assert!(!speaks_to_ci(&clean(text, UNICODE)), "{text}");
        }
    }

    #[test]
    fn text_is_cut_by_columns() {
        let table = [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("漢字", 4, "漢字"),
            ("漢字", 3, "漢…"),
            ("漢", 1, "…"),
            ("a", 0, ""),
        ];
        for (text, columns, expected) in table {
            assert_eq!(fit(text, columns, UNICODE), expected, "{text} in {columns}");
        }
    }

    #[test]
    fn numbers_read_well() {
        let durations =
            [(0, "0.00s"), (126, "0.12s"), (59_999, "59.99s"), (125_000, "2m 05s"), (3_725_000, "1h 02m 05s")];
        for (ms, expected) in durations {
            assert_eq!(duration(ms), expected);
        }
        for (bytes, expected) in [(999, "999 B"), (1234, "1.2 kB"), (3_400_000, "3.4 MB"), (5_000_000_000, "5.0 GB")] {
            assert_eq!(size(bytes), expected);
        }
        for (ms, expected) in
            [(5, "just now"), (60_000, "1 minute ago"), (7_200_000, "2 hours ago"), (864_000_000, "10 days ago")]
        {
            assert_eq!(ago(ms), expected);
        }
        assert_eq!(findings(FindingCounts { error: 2, warning: 1, info: 0 }), "2 errors, 1 warning");
        assert_eq!(findings(FindingCounts::default()), "");
    }
}
