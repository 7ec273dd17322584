//! What a rule and a finding are, before they are put into the words of the contract.

use std::ops::Range;

pub use sluice_sdk::Severity;

/// One rule of a table.
pub struct Rule {
    /// Stable name, `language/what`.
    pub id: &'static str,
    /// The name of the same rule in hadolint, yamllint or BuildKit's checks.
    pub alias: Option<&'static str>,
    pub severity: Severity,
    /// Whether it runs without being asked for.
    pub on: bool,
    /// One line for the documentation.
    pub meaning: &'static str,
}

impl Rule {
    /// Whether `name` means this rule: its id, its alias, or its group as in `yaml/*`.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name
            || self.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(name))
            || name.strip_suffix("/*").is_some_and(|group| self.id.split('/').next() == Some(group))
    }
}

/// One finding at a range of bytes.
#[derive(Clone)]
pub struct Finding {
    pub rule: &'static Rule,
    pub range: Range<usize>,
    pub message: String,
    pub help: Option<String>,
    pub fix: Option<Fix>,
}

/// A change that removes the finding.
#[derive(Clone)]
pub struct Fix {
    pub description: String,
    /// Keeps the meaning of the file for certain.
    pub safe: bool,
    pub edits: Vec<(Range<usize>, String)>,
}

impl Finding {
    pub fn new(rule: &'static Rule, range: Range<usize>, message: impl Into<String>) -> Self {
        Self { rule, range, message: message.into(), help: None, fix: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a fix of one edit that keeps the meaning of the file.
    pub fn safe_fix(self, description: &str, range: Range<usize>, replacement: impl Into<String>) -> Self {
        self.fix(description, true, range, replacement)
    }

    /// Adds a fix of one edit.
    pub fn fix(mut self, description: &str, safe: bool, range: Range<usize>, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { description: description.into(), safe, edits: vec![(range, replacement.into())] });
        self
    }
}

/// Defines a table of rules: a static for each and `RULES` with all of them.
macro_rules! rules {
    ($($name:ident = $id:literal, $alias:expr, $severity:ident, $on:ident, $meaning:literal;)*) => {
        $(pub static $name: $crate::rule::Rule = $crate::rule::Rule {
            id: $id,
            alias: $alias,
            severity: $crate::rule::Severity::$severity,
            on: rules!(@$on),
            meaning: $meaning,
        };)*
        pub static RULES: &[&$crate::rule::Rule] = &[$(&$name),*];
    };
    (@on) => { true };
    (@off) => { false };
}
pub(crate) use rules;
