//! Everything that this program prints goes through here: colour, broken pipes, problems.

use std::io::{self, IsTerminal, Write};

use sluice_model::Problem;
use sluice_report::{Look, problems};

use crate::args::ColorWhen;

/// What a shell reports for a program that was ended by SIGPIPE.
const BROKEN_PIPE: i32 = 141;

/// Wider text is hard to read.
const MAX_WIDTH: usize = 120;

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub stdout_color: bool,
    pub stderr_color: bool,
    /// Whether standard output is a terminal that can move its cursor.
    pub interactive: bool,
}

impl Output {
    /// Honours `--color`, NO_COLOR, CLICOLOR_FORCE and TERM, in this order.
    pub fn new(when: ColorWhen) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = |terminal: bool| match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto if set("NO_COLOR") => false,
            ColorWhen::Auto => set("CLICOLOR_FORCE") || (terminal && !dumb),
        };
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self { stdout_color: color(stdout), stderr_color: color(stderr), interactive: stdout && !dumb && !set("CI") }
    }

    /// Prints a result. When the reader went away, the program ends as quietly as one that SIGPIPE ends.
    pub fn result(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            if error.kind() == io::ErrorKind::BrokenPipe {
                std::process::exit(BROKEN_PIPE);
            }
            self.message(&format!("error: cannot write to standard output: {error}\n"));
            std::process::exit(crate::exit::INTERNAL.into());
        }
    }

    /// Prints something that is not a result. Nobody can be told when this fails.
    pub fn message(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Prints problems the way people read them.
    pub fn problems(&self, problems: &[Problem]) {
        let look = Look { color: self.stderr_color, unicode: unicode() };
        self.message(&problems::render(problems, look, self.width()));
    }

    /// Prints why something was refused: for people, and as one line of JSON where a result would have been JSON.
    pub fn refused(&self, problems: &[Problem], json: bool) {
        if json {
            let all: Vec<_> = problems.iter().map(problems::to_json).collect();
            self.result(&format!("{}\n", serde_json::json!({"event": "refused", "problems": all})));
        }
        self.problems(problems);
    }

    /// What standard output can show.
    pub fn look(&self) -> Look {
        Look { color: self.stdout_color, unicode: unicode() }
    }

    /// Columns to fill.
    pub fn width(&self) -> usize {
        match terminal_size::terminal_size() {
            Some((terminal_size::Width(columns), _)) => usize::from(columns).min(MAX_WIDTH),
            None => MAX_WIDTH,
        }
    }
}

/// Whether the locale is a UTF-8 one; where nothing is said, it is.
fn unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty())
        .map(|value| value.to_string_lossy().to_ascii_lowercase());
    locale.is_none_or(|locale| locale.contains("utf-8") || locale.contains("utf8"))
}
