//! What hadolint and yamllint say about the files of the cases, beside what we say: `tests/hadolint.txt` and
//! `tests/yamllint.txt` list every difference in a rule that both have, and why is in the README. Needs the tools; without
//! them it says so and passes. `UPDATE_CASES=1` writes the lists anew.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::cases::Case;
use crate::{Config, check, dockerfile, rules, yaml};

/// File, line, and the rule's name in the other tool.
type Told = BTreeSet<(String, u32, String)>;

#[test]
fn hadolint_agrees_but_for_a_known_list() {
    compare("hadolint", "2.15", dockerfile::is_dockerfile, &["--no-fail", "--no-color", "-f", "gnu"], |line| {
        let mut parts = line.splitn(4, ':').skip(1);
        let (file, at) = (parts.next()?.trim(), parts.next()?);
        let code = parts.next()?.split_whitespace().find(|word| word.starts_with("DL"))?;
        Some((file.to_owned(), at.parse().ok()?, code.to_owned()))
    });
}

#[test]
fn yamllint_agrees_but_for_a_known_list() {
    let config = "{extends: default, rules: {octal-values: enable, empty-values: enable, line-length: {max: 120}, \
                  anchors: {forbid-duplicated-anchors: true, forbid-unused-anchors: true}}}";
    compare("yamllint", "1.3", yaml::is_yaml, &["-f", "parsable", "-d", config], |line| {
        let mut parts = line.splitn(4, ':');
        let (file, at) = (parts.next()?, parts.next()?);
        let rule = parts.nth(1)?.rsplit_once('(')?.1.strip_suffix(')')?;
        Some((file.to_owned(), at.parse().ok()?, rule.to_owned()))
    });
}

fn compare(
    tool: &str,
    version: &str,
    takes: fn(&str) -> bool,
    arguments: &[&str],
    read: fn(&str) -> Option<(String, u32, String)>,
) {
    let told = Command::new(tool).arg("--version").output();
    let told = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    if !told.contains(version) {
        println!("skipped: `{tool}` {version} is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = Config { enable: vec!["yaml/*".into(), "dockerfile/*".into()], ..Config::default() };
    let (mut names, mut ours) = (Vec::new(), Told::new());
    for case in Case::all() {
        for (name, content) in case.files.iter().filter(|(name, _)| takes(name)) {
            let stem = case.path.file_stem().unwrap_or_default().to_string_lossy();
            let file = format!("{stem}.{name}");
            std::fs::write(folder.path().join(&file), content).expect("a writable folder");
            for finding in check(name, content.as_bytes(), &config) {
                let line = finding.span.as_ref().map_or(0, |span| span.start_line);
                let line = if tool == "hadolint" { dockerfile::instruction_line(content, line) } else { line };
                let names = finding.properties.into_iter().map(|(_, alias)| alias);
                ours.extend(names.map(|alias| (file.clone(), line, alias)));
            }
            names.push(file);
        }
    }
    let output = Command::new(tool).args(arguments).args(&names).current_dir(folder.path()).output().expect(tool);
    let theirs: Told = String::from_utf8_lossy(&output.stdout).lines().filter_map(read).collect();
    let shared = |told: &&(String, u32, String)| rules().any(|rule| rule.alias == Some(&told.2));
    let has_name = |told: &&(String, u32, String)| tool != "hadolint" || told.2.starts_with("DL");
    let both = ours.intersection(&theirs).count();
    let mut list = format!("{both} findings of both\n");
    for (file, line, rule) in ours.difference(&theirs).filter(has_name) {
        list += &format!("ours only: {file}:{line} {rule}\n");
    }
    for (file, line, rule) in theirs.difference(&ours).filter(shared) {
        list += &format!("{tool} only: {file}:{line} {rule}\n");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/{tool}.txt"));
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(&path, &list).expect("a writable list");
    } else {
        assert_eq!(std::fs::read_to_string(&path).expect("a list"), list);
    }
}
