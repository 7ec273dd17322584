//! Texts of plugins and programs, made harmless for terminals and logs.

use std::borrow::Cow;
use std::fmt::Write;

use sluice_capability_secrets::Mask;

/// A text as it may leave: clean, and without secrets. They are looked for twice, because a value may hold what cleaning
/// removes, and what cleaning removes may stand within a value.
pub fn clean_and_mask(text: &str, mask: &Mask) -> String {
    mask.apply(&clean(&mask.apply(text))).into_owned()
}

/// Removes terminal escape sequences (ECMA-48) and shows what else cannot be seen: control characters and the marks that
/// reorder text, as `\u{..}`. Line feeds and tabs stay; a carriage return ends a line.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' | '\u{9b}' | '\u{9d}' | '\u{90}' => skip_sequence(c, &mut rest),
            '\r' => {
                if rest.peek() != Some(&'\n') {
                    clean.push('\n');
                }
            }
            c if is_unsafe(c) => {
                let _ = write!(clean, "\\u{{{:x}}}", u32::from(c));
            }
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

/// Reads past one sequence, whose first character was just read.
fn skip_sequence(first: char, rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let introducer = match first {
        '\u{1b}' => match rest.peek() {
            Some('[' | ']' | 'P' | 'X' | '^' | '_') => rest.next().unwrap_or_default(),
            // A sequence of two or three characters.
            Some(' '..='/') => {
                rest.next();
                rest.next_if(|c| ('0'..='~').contains(c));
                return;
            }
            Some('0'..='~') => {
                rest.next();
                return;
            }
            _ => return,
        },
        '\u{9b}' => '[',
        _ => ']',
    };
    if introducer == '[' {
        while rest.next_if(|c| (' '..='?').contains(c)).is_some() {}
        rest.next_if(|c| ('@'..='~').contains(c));
        return;
    }
    // A string: to its terminator, or to the end of the line when somebody forgot it.
    while let Some(c) = rest.next_if(|c| *c != '\n') {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                rest.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_go_and_other_controls_are_shown() {
        for (text, cleaned) in [
            ("plain ä\tb\n", "plain ä\tb\n"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]52;c;stolen\nnext", "\nnext"),
            ("\u{1b}(Bx\u{1b}7y", "xy"),
            ("\u{1b}Ptmux;x\u{1b}\\y", "y"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("\u{8}\u{0}", "\\u{8}\\u{0}"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(clean(text), cleaned, "{text:?}");
        }
    }
}
