//! Versions as people have them, and what is required of them.

use std::cmp::Ordering;
use std::fmt;

use semver::{BuildMetadata, Prerelease, VersionReq};

/// A semantic version, read leniently: `v1.2.3`, `1.29`, `1.2.3-rc.1`.
#[derive(Debug, Clone)]
pub struct Version {
    /// It was written with a `v`, which a bumped version keeps.
    prefixed: bool,
    inner: semver::Version,
}

/// Which part of a version is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Major,
    Minor,
    Patch,
}

impl Part {
    pub const NAMES: [&str; 3] = ["major", "minor", "patch"];

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "major" => Some(Self::Major),
            "minor" => Some(Self::Minor),
            "patch" => Some(Self::Patch),
            _ => None,
        }
    }
}

impl Version {
    /// Reads one to three numbers with what may follow them; numbers that are left out are 0. Space around it, a `v`
    /// before it and zeros before a number are allowed. The error completes "this is no version: ".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (core, rest) = bare.split_at(bare.find(['-', '+']).unwrap_or(bare.len()));
        let mut numbers = [0; 3];
        for (position, digits) in core.split('.').enumerate() {
            let number = numbers.get_mut(position).ok_or("it has more than three numbers")?;
            *number = number_of(digits, position == 0)?;
        }
        let (pre, build) = rest.split_at(rest.find('+').unwrap_or(rest.len()));
        let [major, minor, patch] = numbers;
        let mut inner = semver::Version::new(major, minor, patch);
        if let Some(pre) = pre.strip_prefix('-') {
            inner.pre = Some(pre)
                .filter(|pre| !pre.is_empty())
                .and_then(|pre| Prerelease::new(pre).ok())
                .ok_or("after `-` stand letters, digits and dots, and numbers without zeros before them")?;
        }
        if let Some(build) = build.strip_prefix('+') {
            inner.build = Some(build)
                .filter(|build| !build.is_empty())
                .and_then(|build| BuildMetadata::new(build).ok())
                .ok_or("after `+` stand letters, digits and dots")?;
        }
        Ok(Self { prefixed: bare.len() < text.len(), inner })
    }

    /// The first thing in a text that looks like a version, without anything behind its numbers: `git version 2.43.0`,
    /// `jq-1.7.1`, `less 590`. Numbers with a dot between them go before lone ones.
    pub fn find(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let part = |at: &usize| bytes[*at].is_ascii_digit() || bytes[*at] == b'.';
        let mut lone = None;
        let mut at = 0;
        while at < bytes.len() {
            if !bytes[at].is_ascii_digit() {
                at += 1;
                continue;
            }
            let end = (at..bytes.len()).find(|at| !part(at)).unwrap_or(bytes.len());
            let numbers: Vec<&str> = text[at..end].split('.').take_while(|number| !number.is_empty()).take(3).collect();
            let free = |at: Option<usize>| {
                at.and_then(|at| bytes.get(at)).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_')
            };
            let version = Self::parse(&numbers.join(".")).ok();
            if numbers.len() > 1 && version.is_some() {
                return version;
            }
            let before = if at > 0 && bytes[at - 1] == b'v' { at.checked_sub(2) } else { at.checked_sub(1) };
            if free(before) && free(Some(end)) {
                lone = lone.or(version);
            }
            at = end;
        }
        lone
    }

    /// By the precedence of Semantic Versioning: a pre-release comes before its release, build metadata does not count.
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.inner.cmp_precedence(&other.inner)
    }

    /// The next version: a pre-release becomes its release if that is what the part asks for. `None` when a number gets
    /// too large.
    #[must_use]
    pub fn bump(&self, part: Part) -> Option<Self> {
        let semver::Version { major, minor, patch, ref pre, .. } = self.inner;
        let unreleased = !pre.is_empty();
        let (major, minor, patch) = match part {
            Part::Major if unreleased && minor == 0 && patch == 0 => (major, 0, 0),
            Part::Major => (major.checked_add(1)?, 0, 0),
            Part::Minor if unreleased && patch == 0 => (major, minor, 0),
            Part::Minor => (major, minor.checked_add(1)?, 0),
            Part::Patch if unreleased => (major, minor, patch),
            Part::Patch => (major, minor, patch.checked_add(1)?),
        };
        Some(Self { prefixed: self.prefixed, inner: semver::Version::new(major, minor, patch) })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.prefixed { "v" } else { "" }, self.inner)
    }
}

fn number_of(digits: &str, first: bool) -> Result<u64, &'static str> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(if first { "it does not begin with a number" } else { "between its dots stand numbers" });
    }
    digits.parse().map_err(|_| "a number in it is too large")
}

/// `>=1.29, <2`, `^20`, `~1.4`, `1.x`, `*`; a version alone means `^`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    text: String,
    inner: VersionReq,
}

impl Requirement {
    /// Reads comparisons with commas or space between them; all must hold. The error completes "this is no
    /// requirement: ".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("||") {
            return Err("`||` is not possible; all comparisons must hold");
        }
        let mut comparisons: Vec<String> = Vec::new();
        for part in text.split(',') {
            let mut sign = String::new();
            let before = comparisons.len();
            for word in part.split_whitespace() {
                let version = word.trim_start_matches(['<', '>', '=', '^', '~']);
                sign.push_str(&word[..word.len() - version.len()]);
                if !version.is_empty() {
                    comparisons.push(format!("{}{}", std::mem::take(&mut sign), strict(version)));
                }
            }
            if !sign.is_empty() {
                return Err("a sign has no version behind it");
            }
            if comparisons.len() == before {
                return Err("it is empty, or has a comma too many");
            }
        }
        let inner = VersionReq::parse(&comparisons.join(", "))
            .map_err(|_| "it is made of comparisons such as `>=1.29`, `<2`, `^20`, `~1.4`, `1.x` or `*`")?;
        Ok(Self { text: text.trim().to_owned(), inner })
    }

    /// Whether every comparison holds. A pre-release fits only where one of the same version is named: `1.3.0-rc.1` fits
    /// `>=1.3.0-rc.0`, not `>=1.2`.
    pub fn matches(&self, version: &Version) -> bool {
        self.inner.matches(&version.inner)
    }

    /// Whether any version will do.
    pub fn is_any(&self) -> bool {
        self.inner.comparators.is_empty()
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Without `v` and without zeros before numbers, which the strict reader refuses.
fn strict(version: &str) -> String {
    let version = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let (core, rest) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
    let numbers = core.split('.').map(|number| match number.trim_start_matches('0') {
        "" if !number.is_empty() => "0",
        stripped => stripped,
    });
    format!("{}{rest}", numbers.collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests;
