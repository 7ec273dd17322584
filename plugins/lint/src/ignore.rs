//! Comments that switch rules off: hadolint's, yamllint's and our own.

use crate::rule::Rule;

/// The rules that a comment names.
#[derive(Debug, PartialEq)]
pub enum Names {
    All,
    These(Vec<String>),
}

/// From this line on, these rules are off or on again.
struct Switch {
    from: usize,
    names: Names,
    off: bool,
}

/// What the comments of one file say. Lines count from 1.
#[derive(Default)]
pub struct Ignores {
    switches: Vec<Switch>,
    lines: Vec<(usize, usize, Names)>,
}

impl Ignores {
    /// Switches rules off or on from a line on. Calls must be in the order of lines.
    pub fn switch(&mut self, from: usize, off: bool, names: Names) {
        self.switches.push(Switch { from, names, off });
    }

    /// Switches rules off for the lines `first` to `last`.
    pub fn lines(&mut self, first: usize, last: usize, names: Names) {
        self.lines.push((first, last, names));
    }

    /// Whether a finding of the rule on this line is unwanted.
    pub fn cover(&self, rule: &Rule, line: usize) -> bool {
        let named = |names: &Names| match names {
            Names::All => true,
            Names::These(names) => names.iter().any(|name| rule.is_called(name)),
        };
        let by_switch = self.switches.iter().rfind(|switch| switch.from <= line && named(&switch.names));
        by_switch.is_some_and(|switch| switch.off)
            || self.lines.iter().any(|(first, last, names)| (*first..=*last).contains(&line) && named(names))
    }
}

/// How far one comment reaches.
#[derive(Debug, PartialEq)]
pub enum Scope {
    /// The line or instruction it stands at or before.
    Here,
    File,
}

/// Reads `# sluice-lint ignore=a,b` and `# sluice-lint ignore-file=a,b`; without names, all rules are meant. What
/// follows the names is a reason for people.
pub fn own(comment: &str) -> Option<(Scope, Names)> {
    let rest = comment.trim_start_matches('#').trim_start().strip_prefix("sluice-lint")?.trim_start();
    let (scope, rest) = match rest.strip_prefix("ignore-file") {
        Some(rest) => (Scope::File, rest),
        None => (Scope::Here, rest.strip_prefix("ignore")?),
    };
    match rest.trim_start().strip_prefix('=') {
        Some(names) => Some((scope, list(names))),
        None if rest.is_empty() || rest.starts_with(char::is_whitespace) => Some((scope, Names::All)),
        None => None,
    }
}

/// Reads `# hadolint ignore=DL3006,DL3008` and `# hadolint global ignore=DL3006`.
pub fn hadolint(comment: &str) -> Option<(Scope, Names)> {
    let rest = comment.trim_start_matches('#').trim_start().strip_prefix("hadolint")?.trim_start();
    let (scope, rest) = match rest.strip_prefix("global") {
        Some(rest) => (Scope::File, rest.trim_start()),
        None => (Scope::Here, rest),
    };
    Some((scope, list(rest.strip_prefix("ignore")?.trim_start().strip_prefix('=')?)))
}

/// What a comment of yamllint asks for.
#[derive(Debug, PartialEq)]
pub enum Yamllint {
    Disable(Names),
    Enable(Names),
    DisableLine(Names),
    DisableFile,
}

/// Reads `# yamllint disable|enable|disable-line [rule:NAME ...]` and `# yamllint disable-file`.
pub fn yamllint(comment: &str) -> Option<Yamllint> {
    let mut words = comment.strip_prefix('#')?.split_whitespace();
    if words.next()? != "yamllint" {
        return None;
    }
    let verb = words.next()?;
    let rules = words.map(|word| word.strip_prefix("rule:").map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    let names = if rules.is_empty() { Names::All } else { Names::These(rules) };
    match verb {
        "disable" => Some(Yamllint::Disable(names)),
        "enable" => Some(Yamllint::Enable(names)),
        "disable-line" => Some(Yamllint::DisableLine(names)),
        "disable-file" if names == Names::All => Some(Yamllint::DisableFile),
        _ => None,
    }
}

fn list(names: &str) -> Names {
    Names::These(names.split(',').filter_map(|name| name.split_whitespace().next()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(names: &[&str]) -> Names {
        Names::These(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn comments_are_read() {
        assert_eq!(own("# sluice-lint ignore=a/b, c why: it is"), Some((Scope::Here, these(&["a/b", "c"]))));
        assert_eq!(own("# sluice-lint ignore-file"), Some((Scope::File, Names::All)));
        assert_eq!(own("# sluice-lint ignored"), None);
        assert_eq!(hadolint("# hadolint ignore=DL3006,DL3008"), Some((Scope::Here, these(&["DL3006", "DL3008"]))));
        assert_eq!(hadolint("#hadolint global ignore=DL3006"), Some((Scope::File, these(&["DL3006"]))));
        assert_eq!(hadolint("# hadolint shell=pwsh"), None);
        assert_eq!(yamllint("# yamllint disable"), Some(Yamllint::Disable(Names::All)));
        assert_eq!(yamllint("# yamllint enable rule:a rule:b"), Some(Yamllint::Enable(these(&["a", "b"]))));
        assert_eq!(yamllint("# yamllint disable-line rule:a"), Some(Yamllint::DisableLine(these(&["a"]))));
        assert_eq!(yamllint("# yamllint disable-file"), Some(Yamllint::DisableFile));
        assert_eq!(yamllint("# yamllint is nice"), None);
    }
}
