//! Finds the simple commands of a shell script: enough of the grammar of POSIX (XCU chapter 2) to know which program
//! gets which words.

use std::ops::Range;

use super::logical::Logical;
use super::words::Word;

/// A program and its arguments.
#[derive(Debug)]
pub struct Command {
    /// Never empty; the first is the program.
    pub words: Vec<Word>,
    /// Whether its output goes into a pipe.
    pub piped: bool,
}

impl Command {
    /// The program without its folder.
    pub fn program(&self) -> &str {
        self.words[0].text.rsplit('/').next().unwrap_or_default()
    }

    /// From the program to the last word.
    pub fn range(&self) -> Range<usize> {
        let start = self.words[0].range.start;
        start..self.words[self.words.len() - 1].range.end.max(start)
    }

    pub fn arguments(&self) -> &[Word] {
        &self.words[1..]
    }

    /// Whether one of the words is an argument.
    pub fn has(&self, words: &[&str]) -> bool {
        self.arguments().iter().any(|word| words.contains(&word.text.as_str()))
    }
}

/// All commands of a script in source order of their ends, those inside of substitutions as well.
pub fn commands(script: &Logical, range: Range<usize>) -> Vec<Command> {
    let mut lexer = Lexer { script, end: range.end, found: Vec::new(), depth: 0 };
    lexer.list(range.start);
    lexer.found
}

/// Words that may stand before a command.
const RESERVED: &[&str] =
    &["if", "then", "else", "elif", "fi", "do", "done", "while", "until", "esac", "!", "{", "}", "time"];

/// Deeper substitutions are passed over: no real script has them, and the stack of a sandbox is small.
const MAX_DEPTH: usize = 16;

struct Lexer<'a> {
    script: &'a Logical,
    end: usize,
    found: Vec<Command>,
    depth: usize,
}

/// The command being read.
#[derive(Default)]
struct Pending {
    words: Vec<Word>,
    word: Option<Part>,
    expect: Expect,
    heredocs: Vec<(String, bool)>,
}

/// What the next word is.
#[derive(Default, Clone, Copy, PartialEq)]
enum Expect {
    #[default]
    Word,
    /// The file of a redirection.
    File,
    /// The closing line of a here-document, perhaps after tabs.
    Heredoc { tabs: bool },
}

/// The word being read.
#[derive(Default)]
struct Part {
    start: usize,
    text: String,
    dynamic: bool,
    quoted: bool,
}

impl Pending {
    fn part(&mut self, at: usize) -> &mut Part {
        self.word.get_or_insert_with(|| Part { start: at, ..Part::default() })
    }
}

impl Lexer<'_> {
    fn peek(&self, at: usize) -> Option<char> {
        self.rest(at).chars().next()
    }

    fn rest(&self, at: usize) -> &str {
        &self.script.text[at.min(self.end)..self.end]
    }

    /// Where the first `c` at or after an offset ends, or the text does.
    fn after(&self, at: usize, c: char) -> usize {
        self.rest(at).find(c).map_or(self.end, |length| at + length + c.len_utf8())
    }

    /// Reads commands from an offset to the end.
    fn list(&mut self, mut at: usize) {
        let mut pending = Pending::default();
        while let Some(c) = self.peek(at) {
            let next = at + c.len_utf8();
            at = match c {
                '\n' => {
                    self.finish(&mut pending, at, false);
                    self.skip_heredocs(&mut pending, next)
                }
                '\\' if self.rest(next).starts_with('\n') || self.rest(next).starts_with("\r\n") => {
                    self.finish_word(&mut pending, at);
                    self.after(next, '\n')
                }
                _ if c.is_whitespace() => {
                    self.finish_word(&mut pending, at);
                    next
                }
                '#' if pending.word.is_none() => self.rest(at).find('\n').map_or(self.end, |length| at + length),
                ';' | '(' | ')' => {
                    self.finish(&mut pending, at, false);
                    next
                }
                '&' if self.peek(next) == Some('>') => {
                    self.finish_word(&mut pending, at);
                    next
                }
                '&' => {
                    self.finish(&mut pending, at, false);
                    next
                }
                '|' if self.peek(next) == Some('|') => {
                    self.finish(&mut pending, at, false);
                    next + 1
                }
                '|' => {
                    self.finish(&mut pending, at, true);
                    next + usize::from(self.peek(next) == Some('&'))
                }
                '<' | '>' => self.redirection(&mut pending, at),
                _ => self.part(&mut pending, at, c),
            };
        }
        self.finish(&mut pending, self.end, false);
    }

    /// Reads one character, quotation or expansion of a word; returns where it ends.
    fn part(&mut self, pending: &mut Pending, at: usize, c: char) -> usize {
        let next = at + c.len_utf8();
        let text = &self.script.text;
        let part = pending.part(at);
        match c {
            '\\' => match self.peek(next) {
                Some(escaped) => {
                    part.text.push(escaped);
                    next + escaped.len_utf8()
                }
                None => next,
            },
            '\'' => {
                let end = self.after(next, '\'');
                part.text.push_str(text[next..end].trim_end_matches('\''));
                part.quoted = true;
                end
            }
            '"' => {
                part.quoted = true;
                self.quotation(part, next)
            }
            '$' | '`' => {
                let end = self.expansion(at);
                part.dynamic = true;
                part.text.push_str(&text[at..end]);
                end
            }
            _ => {
                part.text.push(c);
                next
            }
        }
    }

    /// Reads what is between double quotes; returns where it ends.
    fn quotation(&mut self, part: &mut Part, mut at: usize) -> usize {
        while let Some(c) = self.peek(at) {
            let next = at + c.len_utf8();
            at = match c {
                '"' => return next,
                '\\' => {
                    let escaped = self.peek(next);
                    part.text.extend(escaped.filter(|c| *c != '\n'));
                    next + escaped.map_or(0, char::len_utf8)
                }
                '$' | '`' => {
                    let end = self.expansion(at);
                    part.dynamic = true;
                    part.text.push_str(&self.script.text[at..end]);
                    end
                }
                _ => {
                    part.text.push(c);
                    next
                }
            };
        }
        at
    }

    /// Passes over `$name`, `${...}`, `$(...)` or a backtick substitution, and reads the commands inside.
    fn expansion(&mut self, at: usize) -> usize {
        let rest = self.rest(at);
        if let Some(inner) = rest.strip_prefix('`') {
            let end = inner.find('`').map_or(self.end, |length| at + 1 + length);
            self.inside(at + 1..end);
            (end + 1).min(self.end)
        } else if rest.starts_with("$((") {
            self.closing(at + 1, '(', ')')
        } else if rest.starts_with("$(") {
            let end = self.closing(at + 1, '(', ')');
            let close = end - usize::from(self.rest(at)[..end - at].ends_with(')'));
            self.inside((at + 2).min(close)..close);
            end
        } else if rest.starts_with("${") {
            self.closing(at + 1, '{', '}')
        } else {
            at + 1
        }
    }

    fn inside(&mut self, range: Range<usize>) {
        if self.depth < MAX_DEPTH {
            let mut inner = Lexer { script: self.script, end: range.end, found: Vec::new(), depth: self.depth + 1 };
            inner.list(range.start);
            self.found.append(&mut inner.found);
        }
    }

    /// Where the bracket that opens at an offset is closed: behind it, or the end. Quotes and escapes are respected.
    fn closing(&self, at: usize, open: char, close: char) -> usize {
        let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
        for (offset, c) in self.rest(at).char_indices() {
            match (quote, c) {
                _ if escaped => escaped = false,
                (None | Some('"'), '\\') => escaped = true,
                (Some(q), _) if q == c => quote = None,
                (Some('\''), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, _) if c == open => depth += 1,
                (None, _) if c == close => {
                    depth -= 1;
                    if depth == 0 {
                        return at + offset + c.len_utf8();
                    }
                }
                _ => {}
            }
        }
        self.end
    }

    /// Reads the operator of a redirection; returns where it ends.
    fn redirection(&mut self, pending: &mut Pending, at: usize) -> usize {
        // The number of a file descriptor directly before belongs to the operator.
        if pending.word.as_ref().is_some_and(|part| !part.quoted && part.text.bytes().all(|b| b.is_ascii_digit())) {
            pending.word = None;
        }
        self.finish_word(pending, at);
        let rest = self.rest(at);
        if rest.starts_with("<(") || rest.starts_with(">(") {
            let end = self.closing(at + 1, '(', ')');
            self.inside((at + 2).min(end)..end.saturating_sub(1).max((at + 2).min(end)));
            return end;
        }
        let heredoc = rest.starts_with("<<") && !rest.starts_with("<<<");
        let length = rest.find(|c| !matches!(c, '<' | '>')).unwrap_or(rest.len());
        let mark = rest[length..].chars().next().filter(|c| matches!(c, '&' | '|' | '-'));
        let tabs = heredoc && mark == Some('-');
        let length = length + usize::from(tabs || matches!(mark, Some('&' | '|')));
        pending.expect = if heredoc { Expect::Heredoc { tabs } } else { Expect::File };
        at + length
    }

    fn finish_word(&mut self, pending: &mut Pending, end: usize) {
        let Some(part) = pending.word.take() else { return };
        match std::mem::take(&mut pending.expect) {
            Expect::File => return,
            Expect::Heredoc { tabs } => return pending.heredocs.push((part.text, tabs)),
            Expect::Word => {}
        }
        let reserved = !part.quoted && RESERVED.contains(&part.text.as_str());
        let quote = self.rest(part.start).starts_with(['"', '\'']);
        if pending.words.is_empty() && (reserved || (!quote && is_assignment(&part.text))) {
            return;
        }
        let range = self.script.source(part.start..end);
        pending.words.push(Word { text: part.text, range, dynamic: part.dynamic });
    }

    fn finish(&mut self, pending: &mut Pending, end: usize, piped: bool) {
        self.finish_word(pending, end);
        pending.expect = Expect::Word;
        let words = std::mem::take(&mut pending.words);
        // `for x in a b` and `case x in` are followed by words that nobody runs.
        if words.first().is_some_and(|word| !matches!(word.text.as_str(), "for" | "case" | "function")) {
            self.found.push(Command { words, piped });
        }
    }

    /// Passes over the here-documents that the line before announced.
    fn skip_heredocs(&self, pending: &mut Pending, mut at: usize) -> usize {
        for (name, tabs) in std::mem::take(&mut pending.heredocs) {
            while at < self.end {
                let line = self.rest(at).split('\n').next().unwrap_or_default().trim_end_matches('\r');
                let closes = if tabs { line.trim_start_matches('\t') } else { line } == name;
                at = self.after(at, '\n');
                if closes {
                    break;
                }
            }
        }
        at
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let name = name.strip_suffix('+').unwrap_or(name);
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands of a script, each as its words between `|` for a pipe and `;` for anything else.
    fn seen(script: &str) -> String {
        let logical = Logical::of(script, 0..script.len());
        let mut text = String::new();
        for command in commands(&logical, 0..script.len()) {
            let words: Vec<_> = command.words.iter().map(|word| word.text.as_str()).collect();
            text += &words.join("_");
            text += if command.piped { " | " } else { " ; " };
        }
        text.trim_end_matches(" ; ").to_owned()
    }

    #[test]
    fn scripts_become_commands() {
        for (script, expected) in [
            ("apt-get update && apt-get install -y curl", "apt-get_update ; apt-get_install_-y_curl"),
            ("A=1 B=\"x y\" make 'a b' c\\ d", "make_a b_c d"),
            ("cat <x >/dev/null 2>&1 | grep y || true", "cat | grep_y ; true"),
            ("if [ -f a ]; then rm a; fi", "[_-f_a_] ; rm_a"),
            ("for x in a b; do echo $x; done", "echo_$x"),
            ("x=$(curl -s \"$URL\" | tar xz) && (cd /a; ls)", "curl_-s_$URL | tar_xz ; cd_/a ; ls"),
            ("echo \"$(id -u)\" `whoami`", "id_-u ; whoami ; echo_$(id -u)_`whoami`"),
            ("cat <<-E >f\n\tsudo x\n\tE\nls # sudo y", "cat ; ls"),
            ("a \\\n  b\nc &", "a_b ; c"),
            ("echo $((1<<2)) ${x:-a b} <<<here", "echo_$((1<<2))_${x:-a b}"),
            ("echo \"open", "echo_open"),
        ] {
            assert_eq!(seen(script), expected, "{script}");
        }
    }
}
