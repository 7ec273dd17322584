//! What the instructions mean together: stages, and the commands of each `RUN`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::logical::Logical;
use super::parse::{Dockerfile, Instruction};
use super::shell::{self, Command};
use super::words::Word;

/// A Dockerfile and what follows from it.
pub struct Model<'a> {
    pub file: &'a Dockerfile<'a>,
    pub stages: Vec<Stage>,
    /// For each instruction the stage it belongs to; none before the first `FROM`.
    pub stage_of: Vec<Option<usize>>,
    /// For each instruction the commands that it runs.
    pub commands: Vec<Vec<Command>>,
    /// For each instruction whether the shell it runs in fails when the left side of a pipe does.
    pub pipefail: Vec<bool>,
    /// Defaults of the `ARG`s before the first `FROM`.
    pub global_args: BTreeMap<String, Option<String>>,
}

/// One build stage.
pub struct Stage {
    /// The number of its `FROM`.
    pub from: usize,
    /// The numbers of all its instructions.
    pub instructions: Range<usize>,
    pub image: Word,
    pub name: Option<Word>,
    /// The earlier stage that it continues.
    pub parent: Option<usize>,
    /// Whether its layers are part of the last stage.
    pub shipped: bool,
}

impl<'a> Model<'a> {
    pub fn new(file: &'a Dockerfile<'a>) -> Self {
        let mut model = Self {
            file,
            stages: Vec::new(),
            stage_of: Vec::new(),
            commands: Vec::new(),
            pipefail: Vec::new(),
            global_args: BTreeMap::new(),
        };
        model.find_stages();
        model.find_commands();
        model
    }

    /// Instructions of a name with their numbers, those behind `ONBUILD` as well.
    pub fn named(&self, name: &str) -> impl Iterator<Item = (usize, &'a Instruction)> {
        self.file.instructions.iter().enumerate().filter(move |(_, found)| found.name == name)
    }

    /// All commands of the file with the numbers of their instructions.
    pub fn runs(&self) -> impl Iterator<Item = (usize, &'a Instruction, &[Command])> {
        self.named("RUN").map(|(number, run)| (number, run, self.commands[number].as_slice()))
    }

    /// Whether what an instruction writes is part of the finished image.
    pub fn shipped(&self, number: usize) -> bool {
        self.stage_of[number].is_none_or(|stage| self.stages[stage].shipped)
    }

    pub fn stage_named(&self, name: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.is_named(name))
    }

    /// An image name with the defaults of the global arguments put in; nothing when one has none.
    pub fn resolve(&self, text: &str) -> Option<String> {
        let mut resolved = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            resolved += &rest[..at];
            let (name, fallback, after) = variable(&rest[at + 1..])?;
            let value = self.global_args.get(name).cloned().flatten().filter(|value| !value.is_empty());
            resolved += &value.or_else(|| fallback.map(str::to_owned))?;
            rest = after;
        }
        Some(resolved + rest)
    }

    fn find_stages(&mut self) {
        for (number, instruction) in self.file.instructions.iter().enumerate() {
            if instruction.name == "FROM" && instruction.onbuild.is_none() {
                let words = instruction.words(self.file.escape);
                let image = words.first().cloned().unwrap_or(Word {
                    text: String::new(),
                    range: instruction.keyword.clone(),
                    dynamic: false,
                });
                let named = words.get(1).is_some_and(|word| word.text.eq_ignore_ascii_case("as"));
                let parent = self.stages.iter().rposition(|stage| stage.is_named(&image.text));
                self.stages.push(Stage {
                    from: number,
                    instructions: number..number + 1,
                    image,
                    name: words.get(2).filter(|_| named).cloned(),
                    parent,
                    shipped: false,
                });
            } else if let Some(stage) = self.stages.last_mut() {
                stage.instructions.end = number + 1;
            } else if instruction.name == "ARG" {
                for word in instruction.words(self.file.escape) {
                    let (name, default) = match word.text.split_once('=') {
                        Some((name, default)) => (name.to_owned(), Some(default.to_owned())),
                        None => (word.text, None),
                    };
                    self.global_args.insert(name, default);
                }
            }
            self.stage_of.push(self.stages.len().checked_sub(1));
        }
        let mut next = self.stages.len().checked_sub(1);
        while let Some(stage) = next {
            self.stages[stage].shipped = true;
            next = self.stages[stage].parent;
        }
    }

    fn find_commands(&mut self) {
        let file = self.file;
        // On Windows, where the escape character is a backtick, the shell is no POSIX shell.
        let first = Shell { posix: file.escape == '\\', pipefail: false };
        let mut by_stage: Vec<Shell> = Vec::new();
        let mut current = first;
        let mut comments = file.comments.iter().peekable();
        for (number, instruction) in file.instructions.iter().enumerate() {
            if instruction.name == "FROM" && instruction.onbuild.is_none() {
                let stage = by_stage.len();
                current = self.stages[stage].parent.map_or(first, |parent| by_stage[parent]);
                by_stage.push(current);
            }
            while let Some((range, _)) = comments.next_if(|(_, before)| *before <= number) {
                let words = file.text[range.clone()].trim_start_matches('#').trim_start();
                if let Some(shell) = words.strip_prefix("hadolint").and_then(|rest| rest.trim().strip_prefix("shell="))
                {
                    current = Shell::of(shell.trim(), current.pipefail);
                }
            }
            if instruction.name == "SHELL"
                && let Some(words) = instruction.exec_form()
                && let Some(program) = words.first()
            {
                let pipefail = words.iter().any(|word| word.text.contains("pipefail"));
                current = Shell::of(&program.text, pipefail);
            }
            if let Some(last) = by_stage.last_mut() {
                *last = current;
            }
            let runs = instruction.name == "RUN" && current.posix;
            self.commands.push(if runs { commands(file, instruction) } else { Vec::new() });
            self.pipefail.push(current.pipefail);
        }
    }
}

impl Stage {
    pub fn is_named(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| own.text.eq_ignore_ascii_case(name))
    }
}

/// What is known of the shell of `RUN`.
#[derive(Clone, Copy)]
struct Shell {
    posix: bool,
    pipefail: bool,
}

impl Shell {
    fn of(program: &str, pipefail: bool) -> Self {
        let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
        Self { posix: matches!(name, "sh" | "bash" | "ash" | "dash" | "ksh" | "zsh" | "busybox"), pipefail }
    }
}

/// The commands of one `RUN`: of its exec form, its script, and its here-documents if a shell reads them.
fn commands(file: &Dockerfile, run: &Instruction) -> Vec<Command> {
    if let Some(words) = run.exec_form() {
        return if words.is_empty() { Vec::new() } else { vec![Command { words, piped: false }] };
    }
    let mut found = shell::commands(&run.logical, run.arguments.clone());
    let reader = found.last().map(|command| command.program().to_owned());
    if reader.as_deref().is_none_or(|program| matches!(program, "sh" | "bash" | "ash" | "dash" | "ksh" | "zsh")) {
        for heredoc in &run.heredocs {
            let body = &file.text[heredoc.body.clone()];
            let interpreter = body.lines().next().and_then(|line| line.strip_prefix("#!"));
            if interpreter.is_none_or(|line| line.trim_end().ends_with("sh") || line.contains("sh -")) {
                let script = Logical::of(file.text, heredoc.body.clone());
                found.extend(shell::commands(&script, 0..script.text.len()));
            }
        }
    }
    found
}

/// Reads what follows a `$`: the name, a default given with `:-` or `-`, and the rest.
pub fn variable(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let Some(inner) = text.strip_prefix('{') else {
        let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
        return (end > 0).then(|| (&text[..end], None, &text[end..]));
    };
    let (inner, rest) = inner.split_at_checked(inner.find('}')?)?;
    let end = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
    let fallback = inner[end..].strip_prefix(":-").or_else(|| inner[end..].strip_prefix('-'));
    Some((&inner[..end], fallback, &rest[1..]))
}
