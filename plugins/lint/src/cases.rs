//! The cases in `tests/cases`: one file for each rule, named like it, with a file it complains of, one that it does not
//! mind, and all findings. `UPDATE_CASES=1` writes the findings anew.
//!
//! What editors would change stands there as another character: `␠` blank, `⇥` tab, `␍` CR, `∎` no line break.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sluice_sdk::{Edit, Finding, Severity};

use crate::{Config, Rule, check, rules};

/// One file of `tests/cases`.
pub struct Case {
    pub path: PathBuf,
    /// Everything above the findings, as it is.
    head: String,
    pub files: Vec<(String, String)>,
    findings: String,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (head, findings) = text.split_once("-- findings --\n").unwrap_or((&text, ""));
        let mut files: Vec<(String, String)> = Vec::new();
        for line in head.split_inclusive('\n') {
            if let Some(name) = line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
                files.push((name.to_owned(), String::new()));
            } else if let Some((_, content)) = files.last_mut() {
                *content += &line.replace('␠', " ").replace('⇥', "\t").replace('␍', "\r").replace("∎\n", "");
            }
        }
        Self { path: path.to_owned(), head: head.to_owned(), files, findings: findings.to_owned() }
    }

    pub fn all() -> Vec<Self> {
        let mut paths = Vec::new();
        for group in ["yaml", "dockerfile", "text", "more"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(group);
            let entries = std::fs::read_dir(folder).expect("a folder of cases");
            paths.extend(entries.map(|entry| entry.expect("a readable folder").path()));
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// The rule that the case is about; none below `more`.
    fn rule(&self) -> Option<&'static Rule> {
        let id = self.path.with_extension("");
        rules().find(|rule| id.ends_with(rule.id))
    }

    fn config(&self) -> Config {
        Config { enable: self.rule().iter().map(|rule| rule.id.to_owned()).collect(), ..Config::default() }
    }

    fn findings(&self) -> Vec<Finding> {
        self.files.iter().flat_map(|(name, content)| check(name, content.as_bytes(), &self.config())).collect()
    }
}

fn show(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let span = finding.span.as_ref().expect("a place");
        let alias = finding.properties.iter().map(|(_, value)| format!(" ({value})")).collect::<String>();
        let (start, end) = ((span.start_line, span.start_column), (span.end_line, span.end_column));
        let place = format!("{}:{}:{}-{}:{}", span.path, start.0, start.1, end.0, end.1);
        let severity = severity(finding.severity);
        writeln!(text, "{place} {severity} {}{alias}: {}", finding.rule, finding.message).expect("memory");
        if let Some(help) = &finding.help {
            writeln!(text, "    help: {help}").expect("memory");
        }
        for edit in finding.fix.iter().flat_map(|fix| &fix.edits) {
            let safe = if finding.fix.as_ref().is_some_and(|fix| fix.safe) { "fix" } else { "unsafe fix" };
            writeln!(text, "    {safe}: {:?}", edit.replacement).expect("memory");
        }
    }
    text
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

#[test]
fn cases_give_their_findings() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut wrong = String::new();
    for case in Case::all() {
        let shown = show(&case.findings());
        if update && shown != case.findings {
            let text = format!("{}-- findings --\n{shown}", case.head);
            std::fs::write(&case.path, text).expect("a writable case");
        } else if shown != case.findings {
            writeln!(wrong, "{}\nexpected:\n{}found:\n{shown}", case.path.display(), case.findings).expect("memory");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_rule_has_a_case_for_and_against_it() {
    let cases = Case::all();
    for rule in rules().filter(|rule| rule.id != crate::text::ENCODING.id) {
        let case = cases.iter().find(|case| case.rule().is_some_and(|other| other.id == rule.id));
        let case = case.unwrap_or_else(|| panic!("no case for {}", rule.id));
        for (name, content) in &case.files {
            let found = check(name, content.as_bytes(), &case.config()).iter().any(|finding| finding.rule == rule.id);
            assert_eq!(found, name.starts_with("bad"), "{} in {name}", rule.id);
        }
        assert!(case.files.iter().any(|(name, _)| name.starts_with("good")), "nothing good for {}", rule.id);
    }
}

/// A fix makes its finding go away and brings no error.
#[test]
fn fixes_fix() {
    for case in Case::all() {
        for (name, content) in &case.files {
            let before = check(name, content.as_bytes(), &case.config());
            let errors = |findings: &[Finding]| findings.iter().filter(|f| f.severity == Severity::Error).count();
            for finding in before.iter().filter(|finding| finding.fix.is_some()) {
                let mut fixed = content.clone();
                for edit in finding.fix.iter().flat_map(|fix| &fix.edits) {
                    apply(&mut fixed, edit);
                }
                let after = check(name, fixed.as_bytes(), &case.config());
                let count = |findings: &[Finding]| findings.iter().filter(|other| other.rule == finding.rule).count();
                assert_eq!(count(&after) + 1, count(&before), "{} in {name}: {fixed}", finding.rule);
                assert!(errors(&after) <= errors(&before), "{fixed}");
            }
        }
    }
}

fn apply(text: &mut String, edit: &Edit) {
    let offset = |line: u32, column: u32| {
        let start: usize = text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum();
        start + text[start..].chars().take(column as usize - 1).map(char::len_utf8).sum::<usize>()
    };
    let start = offset(edit.span.start_line, edit.span.start_column);
    let end = offset(edit.span.end_line, edit.span.end_column);
    text.replace_range(start..end, &edit.replacement);
}

#[test]
fn what_is_not_utf8_is_one_finding_at_the_byte() {
    let shown = show(&check("a.yaml", b"a: b\nc: \xff\n", &Config::default()));
    let expected = "a.yaml:2:4-2:4 error text/encoding: the file is not UTF-8\n    \
                    help: convert it, for example with `iconv -t UTF-8`\n";
    assert_eq!(shown, expected);
    assert_eq!(check("a.txt", b"\xff", &Config::default()), []);
}

#[test]
fn a_flood_is_cut() {
    let found = check("a.yaml", "- yes\n".repeat(60).as_bytes(), &Config::default());
    assert_eq!(found.len(), 50);
    assert!(found[49].message.ends_with(", and 10 more in this file"), "{}", found[49].message);
}

/// The table in the README is the table of the rules.
#[test]
fn the_readme_lists_all_rules() {
    let mut table = String::from("| rule | also called | severity | finds |\n| --- | --- | --- | --- |\n");
    for rule in rules() {
        let off = if rule.on { "" } else { ", off" };
        let severity = format!("{}{off}", severity(rule.severity));
        let alias = rule.alias.map(|alias| format!("`{alias}`")).unwrap_or_default();
        writeln!(table, "| `{}` | {alias} | {severity} | {} |", rule.id, rule.meaning).expect("memory");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("a readme");
    let (before, rest) = readme.split_once("<!-- rules -->\n").expect("the beginning of the table");
    let (written, after) = rest.split_once("<!-- end of rules -->").expect("the end of the table");
    if std::env::var_os("UPDATE_CASES").is_some() {
        let text = format!("{before}<!-- rules -->\n{table}<!-- end of rules -->{after}");
        std::fs::write(&path, text).expect("a writable readme");
    } else {
        assert_eq!(written, table);
    }
}

#[test]
fn names_of_rules_are_unique_and_cover_both_languages() {
    let mut ids: Vec<_> = rules().map(|rule| rule.id).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(count >= 20);
}
