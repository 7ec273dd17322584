//! What a rule is.

use std::ops::Range;

use sluice_sdk::Severity;

use crate::file::File;

/// One kind of secret. The tables are in [`crate::rules`].
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable id, `secret/...`.
    pub id: &'static str,
    /// What it is, to follow "a" or "an".
    pub what: &'static str,
    /// Literals of which one must be there before anything else of the rule is tried.
    pub keywords: &'static [&'static str],
    pub find: Find,
    /// Entropy of the secret without its keyword that is too low to be random, in bits per byte.
    pub min_entropy: f32,
    /// How far behind the keyword the secret can end, in bytes.
    pub reach: usize,
    pub severity: Severity,
    /// What the format proves beyond its pattern.
    pub check: Option<fn(&[u8]) -> Verdict>,
    /// Prefer any other rule where both match, and look for signs of made-up values more closely.
    pub generic: bool,
}

/// How a rule finds its secret from a keyword.
#[derive(Debug, Clone, Copy)]
pub enum Find {
    /// The keyword, in this case, followed by the pattern. Group 1 is the secret if there is a group, else keyword and
    /// pattern together.
    After(&'static str),
    /// A pattern that includes the keyword, in this case, and can begin so many bytes before it.
    Around(usize, &'static str),
    /// The whole value that is assigned to a name with the keyword, in any case, in it.
    Assigned(&'static str),
    /// Given the file and the place of the keyword, in any case.
    Code(fn(&File, Range<usize>) -> Option<Range<usize>>),
}

/// What a check says about a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Structure and checksum are right.
    Verified,
    /// A secret of less weight, and why.
    Doubtful(&'static str),
    /// Something that cannot work as a secret, but looks like one, and why.
    Broken(&'static str),
    /// Something else.
    No,
}

impl Rule {
    const fn new(id: &'static str, what: &'static str, keywords: &'static [&'static str], find: Find) -> Self {
        let severity = Severity::Error;
        Self { id, what, keywords, find, min_entropy: 3.0, reach: 256, severity, check: None, generic: false }
    }

    /// A token that begins with one of the keywords and goes on with `pattern`.
    pub const fn token(
        id: &'static str,
        what: &'static str,
        keywords: &'static [&'static str],
        pattern: &'static str,
    ) -> Self {
        Self::new(id, what, keywords, Find::After(pattern))
    }

    /// A token with a keyword inside, at most `back` bytes from its begin.
    pub const fn around(
        id: &'static str,
        what: &'static str,
        keywords: &'static [&'static str],
        back: usize,
        pattern: &'static str,
    ) -> Self {
        Self::new(id, what, keywords, Find::Around(back, pattern))
    }

    /// A value without marks of its own, known by the name it is assigned to.
    pub const fn assigned(
        id: &'static str,
        what: &'static str,
        keywords: &'static [&'static str],
        pattern: &'static str,
    ) -> Self {
        Self::new(id, what, keywords, Find::Assigned(pattern))
    }

    /// Something that a pattern cannot describe.
    pub const fn code(
        id: &'static str,
        what: &'static str,
        keywords: &'static [&'static str],
        find: fn(&File, Range<usize>) -> Option<Range<usize>>,
    ) -> Self {
        Self::new(id, what, keywords, Find::Code(find))
    }

    pub const fn entropy(mut self, min: f32) -> Self {
        self.min_entropy = min;
        self
    }

    pub const fn reach(mut self, bytes: usize) -> Self {
        self.reach = bytes;
        self
    }

    pub const fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    pub const fn check(mut self, check: fn(&[u8]) -> Verdict) -> Self {
        self.check = Some(check);
        self
    }

    pub const fn generic(mut self) -> Self {
        self.generic = true;
        self
    }
}
