//! Colours and marks.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use sluice_model::event::Level;
use sluice_model::{Outcome, Severity};

/// What the other side can show. Decided by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub color: bool,
    /// Otherwise all marks and lines are ASCII.
    pub unicode: bool,
}

pub const PLAIN: Style = Style::new();
pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GREEN: Style = AnsiColor::Green.on_default();
pub const RED: Style = AnsiColor::Red.on_default();
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
pub const CYAN: Style = AnsiColor::Cyan.on_default();
pub const MAGENTA: Style = AnsiColor::Magenta.on_default();

impl Look {
    pub(crate) fn paint(self, style: Style, text: impl Display) -> String {
        let text = text.to_string();
        let painted = self.color && style != PLAIN && !text.is_empty();
        if painted { format!("{style}{text}{style:#}") } else { text }
    }

    /// What nobody should overlook.
    pub fn alarm(self, text: impl Display) -> String {
        self.paint(RED.bold(), text)
    }

    /// As [`paint`](Self::paint), but not the spaces in front.
    pub(crate) fn paint_after_space(self, style: Style, text: &str) -> String {
        let rest = text.trim_start_matches(' ');
        format!("{}{}", &text[..text.len() - rest.len()], self.paint(style, rest))
    }

    /// One column wide, different for every outcome, also without colour.
    pub(crate) fn mark(self, outcome: Outcome) -> String {
        self.paint(outcome_style(outcome), self.plain_mark(outcome))
    }

    /// As [`mark`](Self::mark), without colour.
    pub(crate) fn plain_mark(self, outcome: Outcome) -> &'static str {
        let (unicode, ascii) = match outcome {
            Outcome::Passed => ("✔", "+"),
            Outcome::Failed => ("✘", "x"),
            Outcome::AllowedToFail => ("!", "!"),
            Outcome::Skipped => ("-", "-"),
            Outcome::Cancelled => ("◌", "o"),
            Outcome::Unknown => ("?", "?"),
        };
        self.pick(unicode, ascii)
    }

    pub(crate) fn pick<T>(self, unicode: T, ascii: T) -> T {
        if self.unicode { unicode } else { ascii }
    }
}

pub fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Passed => GREEN,
        Outcome::Failed => RED,
        Outcome::AllowedToFail => YELLOW,
        Outcome::Skipped => DIM,
        Outcome::Cancelled | Outcome::Unknown => MAGENTA,
    }
}

pub fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::AllowedToFail => "allowed to fail",
        Outcome::Unknown => "ended unknown",
        other => other.as_str(),
    }
}

pub fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Info => CYAN,
    }
}

pub fn level_style(level: Level) -> Style {
    match level {
        Level::Debug => DIM,
        Level::Info => PLAIN,
        Level::Warn => YELLOW,
        Level::Error => RED,
    }
}
