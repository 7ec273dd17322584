//! Reads a Dockerfile into instructions. Nothing here gives up: what cannot be read becomes a problem, and reading goes
//! on with the next instruction.
//!
//! The grammar is the Dockerfile reference, <https://docs.docker.com/reference/dockerfile/>, with the here-documents of
//! BuildKit.

use std::collections::BTreeSet;
use std::ops::Range;

use super::logical::Logical;
use super::words::{self, Word};

/// All instructions there are.
pub const KEYWORDS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// A Dockerfile, as far as it can be read without knowing what instructions mean.
pub struct Dockerfile<'a> {
    pub text: &'a str,
    /// The character that continues a line.
    pub escape: char,
    pub instructions: Vec<Instruction>,
    /// Comments with the number of the instruction they stand in or before.
    pub comments: Vec<(Range<usize>, usize)>,
    /// Blank lines inside an instruction.
    pub gaps: Vec<Range<usize>>,
    pub problems: Vec<Problem>,
}

/// Something that cannot be read.
pub struct Problem {
    pub range: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

/// One instruction. Of `ONBUILD RUN x` it is the `RUN`, and `onbuild` says so.
pub struct Instruction {
    /// In capitals.
    pub name: String,
    pub keyword: Range<usize>,
    /// The keyword `ONBUILD` in front.
    pub onbuild: Option<Range<usize>>,
    /// From the first keyword to the end of the last line, here-documents included.
    pub range: Range<usize>,
    /// Everything but here-documents, without line continuations.
    pub logical: Logical,
    pub flags: Vec<Flag>,
    /// What follows the keyword and the flags, as a range of `logical`.
    pub arguments: Range<usize>,
    pub heredocs: Vec<Heredoc>,
}

/// `--name=value` after the keyword.
pub struct Flag {
    pub name: String,
    pub value: Option<String>,
    pub range: Range<usize>,
}

/// One here-document.
pub struct Heredoc {
    /// Its lines without the closing one.
    pub body: Range<usize>,
}

impl Instruction {
    /// The text after keyword and flags.
    pub fn rest(&self) -> &str {
        &self.logical.text[self.arguments.clone()]
    }

    /// Where that is in the source.
    pub fn rest_range(&self) -> Range<usize> {
        let rest = self.rest().trim_end();
        self.logical.source(self.arguments.start..self.arguments.start + rest.len())
    }

    /// The words after keyword and flags, split at blanks outside quotes.
    pub fn words(&self, escape: char) -> Vec<Word> {
        words::split(&self.logical, self.arguments.clone(), escape)
    }

    /// The strings of `["a", "b"]`, if the arguments are that.
    pub fn exec_form(&self) -> Option<Vec<Word>> {
        words::json(&self.logical, self.arguments.clone())
    }

    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }
}

/// Reads a whole Dockerfile.
pub fn parse(text: &str) -> Dockerfile<'_> {
    let mut file = Dockerfile {
        text,
        escape: '\\',
        instructions: Vec::new(),
        comments: Vec::new(),
        gaps: Vec::new(),
        problems: Vec::new(),
    };
    let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut reader = Reader { text, at, unclosed: BTreeSet::new() };
    directives(&mut file, &mut reader);
    while let Some(line) = reader.next() {
        let content = trim(text, line.clone());
        if content.is_empty() {
            continue;
        }
        if text[content.clone()].starts_with('#') {
            file.comments.push((content, file.instructions.len()));
            continue;
        }
        let (logical, end) = join(&mut file, &mut reader, content.start..line.end);
        instruction(&mut file, &mut reader, logical, content.start..end);
    }
    file
}

/// `# escape=` and its kind count only above everything else, comments included.
fn directives(file: &mut Dockerfile, reader: &mut Reader) {
    loop {
        let before = reader.at;
        let Some(line) = reader.next() else { return };
        let content = trim(file.text, line);
        let directive = file.text[content.clone()].strip_prefix('#').and_then(|rest| rest.split_once('='));
        let Some((name, value)) = directive else {
            reader.at = before;
            return;
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "escape" => match value.trim() {
                "\\" => file.escape = '\\',
                "`" => file.escape = '`',
                other => file.problems.push(Problem {
                    range: content.clone(),
                    message: format!("`{other}` cannot be the escape character"),
                    help: Some("use `\\` or a backtick".into()),
                }),
            },
            "syntax" | "check" => {}
            _ => {
                reader.at = before;
                return;
            }
        }
        file.comments.push((content, 0));
    }
}

/// Puts the lines of one instruction together. Returns also where the last of them ends.
fn join(file: &mut Dockerfile, reader: &mut Reader, first: Range<usize>) -> (Logical, usize) {
    let mut logical = Logical::default();
    let mut line = first;
    let mut end;
    loop {
        let (content, continued) = match continuation(&file.text[line.clone()], file.escape) {
            Some(length) => (line.start..line.start + length, true),
            None => (line.clone(), false),
        };
        logical.push(file.text, content);
        end = line.start + file.text[line.clone()].trim_end().len();
        if !continued {
            return (logical, end);
        }
        // Comments and blank lines do not end a continued instruction.
        let mut gaps = Vec::new();
        loop {
            let Some(next) = reader.next() else { return (logical, end) };
            let content = trim(file.text, next.clone());
            if file.text[content.clone()].starts_with('#') {
                file.comments.push((content, file.instructions.len()));
            } else if content.is_empty() {
                gaps.push(next);
            } else {
                line = next;
                break;
            }
        }
        file.gaps.append(&mut gaps);
    }
}

/// The length of a line before its continuation mark: an escape character, itself not escaped, and blanks.
fn continuation(line: &str, escape: char) -> Option<usize> {
    let before = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before.len())
}

fn instruction(file: &mut Dockerfile, reader: &mut Reader, logical: Logical, mut range: Range<usize>) {
    let length = logical.text.len();
    let (mut keyword, mut at) = word(&logical.text, 0);
    let mut onbuild = None;
    if logical.text[keyword.clone()].eq_ignore_ascii_case("ONBUILD") && !logical.text[at..].trim().is_empty() {
        onbuild = Some(logical.source(keyword));
        (keyword, at) = word(&logical.text, at);
    }
    let name = logical.text[keyword.clone()].to_ascii_uppercase();
    let keyword = logical.source(keyword);
    let flags = if matches!(name.as_str(), "FROM" | "RUN" | "COPY" | "ADD" | "HEALTHCHECK") {
        flags(&logical, &mut at)
    } else {
        Vec::new()
    };
    let mut found = Instruction {
        name,
        keyword,
        onbuild,
        range: range.clone(),
        logical,
        flags,
        arguments: at..length,
        heredocs: Vec::new(),
    };
    if matches!(found.name.as_str(), "RUN" | "COPY" | "ADD") && found.exec_form().is_none() {
        for (mark, name, tabs) in words::heredocs(&found.logical, found.arguments.clone(), file.escape) {
            let (body, end, closed) = reader.heredoc(&name, tabs);
            range.end = end.max(range.end);
            found.heredocs.push(Heredoc { body });
            if !closed {
                file.problems.push(Problem {
                    range: mark,
                    message: format!("the here-document `{name}` is never closed"),
                    help: Some(format!("end it with a line that is only `{name}`")),
                });
            }
        }
        found.range = range;
    }
    file.instructions.push(found);
}

/// The word at or after an offset, and where the next one begins.
fn word(text: &str, at: usize) -> (Range<usize>, usize) {
    let start = at + (text[at..].len() - text[at..].trim_start().len());
    let end = start + text[start..].find(char::is_whitespace).unwrap_or(text.len() - start);
    (start..end, end + (text[end..].len() - text[end..].trim_start().len()))
}

fn flags(logical: &Logical, at: &mut usize) -> Vec<Flag> {
    let mut flags = Vec::new();
    while logical.text[*at..].starts_with("--") {
        let (range, next) = word(&logical.text, *at);
        let text = &logical.text[range.clone()][2..];
        *at = next;
        if text.is_empty() {
            break;
        }
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.trim_matches('"').to_owned())),
            None => (text, None),
        };
        flags.push(Flag { name: name.to_ascii_lowercase(), value, range: logical.source(range) });
    }
    flags
}

/// Goes through a text line by line.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Here-documents that were found to have no end, so that nobody looks for it again.
    unclosed: BTreeSet<(String, bool)>,
}

impl Reader<'_> {
    /// The next line without its line break.
    fn next(&mut self) -> Option<Range<usize>> {
        if self.at >= self.text.len() {
            return None;
        }
        let start = self.at;
        let end = self.text[start..].find('\n').map_or(self.text.len(), |length| start + length);
        self.at = (end + 1).min(self.text.len());
        Some(start..start + self.text[start..end].trim_end_matches('\r').len())
    }

    /// The body of a here-document, where it ends with its closing line, and whether it has one. Without one it ends
    /// before the next line that looks like an instruction, so that the rest of the file is still seen.
    fn heredoc(&mut self, name: &str, tabs: bool) -> (Range<usize>, usize, bool) {
        let start = self.at;
        let known = self.unclosed.contains(&(name.to_owned(), tabs));
        while !known && let Some(line) = self.next() {
            let content = &self.text[line.clone()];
            if (if tabs { content.trim_start_matches('\t') } else { content }) == name {
                return (start..line.start, line.end, true);
            }
        }
        self.unclosed.insert((name.to_owned(), tabs));
        self.at = start;
        loop {
            let before = self.at;
            let Some(line) = self.next() else { return (start..before, before, false) };
            let first = self.text[line].split([' ', '\t']).next().unwrap_or_default();
            if KEYWORDS.contains(&first) {
                self.at = before;
                return (start..before, before, false);
            }
        }
    }
}

fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let content = &text[range.clone()];
    let start = range.start + (content.len() - content.trim_start().len());
    start..start + content.trim().len()
}
