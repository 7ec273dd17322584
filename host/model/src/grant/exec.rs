//! `git`, `git status`, `git log **`: a program on the host's search path, and the arguments that it may get.
//!
//! Words stand for one argument each. `*` in a word is any text, `**` as the last word any further arguments. A program
//! without words may get any.

use std::fmt;
use std::str::FromStr;

use super::serde_by_spelling;
use crate::span::Span;
use crate::yaml::{Checker, Node, NodeValue};

/// A program by name, found on the host's search path, with arguments of this form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecGrant {
    pub program: String,
    /// One pattern for each of the first arguments.
    words: Vec<String>,
    /// Whether any others may follow.
    open: bool,
}

impl ExecGrant {
    /// Programs that run whatever text they are given.
    const SHELLS: [&str; 9] = ["sh", "bash", "dash", "zsh", "ksh", "fish", "ash", "pwsh", "cmd"];

    /// Whether the program is a shell, which can run any other program.
    pub fn is_shell(&self) -> bool {
        Self::SHELLS.contains(&self.program.as_str())
    }

    /// The grant for exactly this call if it can be spelled, for helps; otherwise the one for any arguments.
    pub fn exactly(program: &str, arguments: &[impl AsRef<str>]) -> Option<Self> {
        let any: Self = program.parse().ok()?;
        let plain = |word: &str| !word.is_empty() && !word.contains('*') && is_word(word);
        if arguments.is_empty() || !arguments.iter().all(|argument| plain(argument.as_ref())) {
            return Some(any);
        }
        Some(Self { words: arguments.iter().map(|word| word.as_ref().to_owned()).collect(), open: false, ..any })
    }

    /// Whether the program may be run with these arguments.
    pub fn allows(&self, program: &str, arguments: &[impl AsRef<str>]) -> bool {
        self.program == program
            && (arguments.len() == self.words.len() || self.open && arguments.len() > self.words.len())
            && self.words.iter().zip(arguments).all(|(word, argument)| matches(word, argument.as_ref()))
    }

    /// Whether all calls that `inner` allows are allowed here. A `*` of `inner` stands for a text that only a `*` here can
    /// take, so matching the pattern as if it were text decides it.
    pub fn covers(&self, inner: &Self) -> bool {
        self.program == inner.program
            && (self.open || !inner.open)
            && (inner.words.len() == self.words.len() || self.open && inner.words.len() > self.words.len())
            && self.words.iter().zip(&inner.words).all(|(outer, inner)| matches(outer, inner))
    }
}

/// Whether a text has the form of a pattern, in which `*` stands for any text. A `*` in the text is an ordinary character.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((front, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(front) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return text.ends_with(piece);
        }
        // The first place leaves the most for what follows.
        let Some(at) = text.find(piece) else { return false };
        text = &text[at + piece.len()..];
    }
    true
}

fn is_word(word: &str) -> bool {
    word.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"'\"\\`".contains(c))
}

impl FromStr for ExecGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split_ascii_whitespace();
        let program = parts.next().unwrap_or_default();
        let valid = !program.is_empty()
            && !program.starts_with(['-', '.'])
            && program.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c));
        if !valid {
            return Err(format!("expected the name of a program on the search path, such as `git`, found `{text}`"));
        }
        let mut words: Vec<String> = parts.map(str::to_owned).collect();
        let open = words.is_empty() || words.last().is_some_and(|word| word == "**");
        if open {
            words.pop();
        }
        if let Some(word) = words.iter().find(|word| word.contains("**")) {
            return Err(format!("`**` stands alone as the last word, for all further arguments; found `{word}`"));
        }
        if let Some(word) = words.iter().find(|word| !is_word(word)) {
            return Err(format!("an argument cannot be quoted: write `*` for what it may be, instead of `{word}`"));
        }
        Ok(Self { program: program.to_owned(), words, open })
    }
}

impl fmt::Display for ExecGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)?;
        self.words.iter().try_for_each(|word| write!(f, " {word}"))?;
        if self.open && !self.words.is_empty() { f.write_str(" **") } else { Ok(()) }
    }
}

serde_by_spelling!(ExecGrant);

/// The spellings of `exec` grants in YAML, each with its place: texts, and mappings of a program to the arguments that it
/// may get, `{git: [status, "log **"]}`.
pub fn spellings(node: &Node, what: &str, check: &mut Checker<'_>) -> Vec<(String, Span)> {
    let item_of = format!("an item of {what}");
    let (items, what_of_item) = match &node.value {
        NodeValue::Sequence(items) => (items.as_slice(), item_of.as_str()),
        NodeValue::Mapping(_) => (std::slice::from_ref(node), what),
        _ => return check.texts(node, what).into_iter().map(|(text, span)| (text.to_owned(), span)).collect(),
    };
    let mut spellings = Vec::new();
    for item in items {
        let NodeValue::Mapping(programs) = &item.value else {
            spellings.extend(check.text(item, what_of_item).map(|text| (text.to_owned(), item.span)));
            continue;
        };
        for (program, node) in programs {
            for (words, span) in check.texts(node, &format!("the arguments of `{}` in {what}", program.name)) {
                spellings.push((format!("{} {words}", program.name), span));
            }
        }
    }
    spellings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts that tell patterns over `a` and `b` apart; `z` stands in none.
    fn texts() -> Vec<String> {
        let mut texts = vec![String::new()];
        for length in 0..4 {
            let longest: Vec<String> = texts.iter().filter(|text| text.len() == length).cloned().collect();
            texts.extend(longest.iter().flat_map(|text| ["a", "b", "z"].map(|end| format!("{text}{end}"))));
        }
        texts
    }

    /// Every way to let each `*` take some of the text.
    fn slowly_matches(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|taken| slowly_matches(rest, &text[taken..])),
            Some((byte, rest)) => text.first() == Some(byte) && slowly_matches(rest, &text[1..]),
        }
    }

    fn pattern() -> impl Strategy<Value = String> {
        "[ab*]{1,4}".prop_filter("`**` is no word of its own", |word| !word.contains("**"))
    }

    fn grant() -> impl Strategy<Value = String> {
        (prop::collection::vec(pattern(), 0..3), any::<bool>()).prop_map(|(words, open)| {
            let words: String = words.iter().map(|word| format!(" {word}")).collect();
            format!("p{words}{}", if open { " **" } else { "" })
        })
    }

    proptest! {
        #[test]
        fn a_pattern_matches_as_the_slow_way_says(pattern in "[ab*]{0,6}") {
            for text in texts() {
                prop_assert_eq!(matches(&pattern, &text), slowly_matches(pattern.as_bytes(), text.as_bytes()), "{} {}", pattern, text);
            }
        }

        /// `covers` is what it says: all calls of the one are calls of the other.
        #[test]
        fn covers_agrees_with_trying_all_calls(outer in grant(), inner in grant()) {
            let (outer, inner): (ExecGrant, ExecGrant) = (outer.parse().unwrap(), inner.parse().unwrap());
            prop_assert_eq!(inner.to_string().parse::<ExecGrant>().unwrap(), inner.clone());
            // Each `*` of the inner one by `z` and by nothing, and one argument more if it is open: the witnesses.
            let words = |with: &str| inner.words.iter().map(|word| word.replace('*', with)).collect::<Vec<_>>();
            let mut calls = vec![words("z"), words(""), words("zz")];
            if inner.open {
                calls.extend(calls.clone().into_iter().map(|call| [call, vec!["z".to_owned()]].concat()));
                calls.extend(calls.clone().into_iter().map(|call| [call, vec!["z".to_owned()]].concat()));
            }
            for call in &calls {
                prop_assert!(inner.allows("p", call));
            }
            prop_assert_eq!(outer.covers(&inner), calls.iter().all(|call| outer.allows("p", call)), "{} {}", outer, inner);
        }
    }

    #[test]
    fn the_narrowest_grant_for_a_call() {
        for (arguments, expected) in [
            (&["status"][..], "git status"),
            (&["log", "-1"], "git log -1"),
            (&["commit", "-m", "a b"], "git"),
            (&["add", "*"], "git"),
            (&[], "git"),
        ] {
            let grant = ExecGrant::exactly("git", arguments).unwrap();
            assert_eq!(grant.to_string(), expected);
            assert!(grant.allows("git", arguments));
        }
    }
}
