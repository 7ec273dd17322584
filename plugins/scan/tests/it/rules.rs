//! Every rule finds its samples and nothing else, and never tells what it found.

use std::collections::BTreeSet;

use sluice_plugin_scan::{Find, Scanner, rules};
use sluice_sdk::{Finding, Severity};

use crate::samples;

fn scanner() -> Scanner {
    Scanner::new(&[], &[]).expect("nothing is disabled or allowed")
}

fn found<'a>(findings: &'a [Finding], rule: &str) -> Option<&'a Finding> {
    findings.iter().find(|finding| finding.rule == rule)
}

/// Offsets of a span: the samples are ASCII but for the marks.
fn offsets(text: &str, finding: &Finding) -> std::ops::Range<usize> {
    let span = finding.span.as_ref().expect("every finding has a place");
    let line_start = |line: u32| text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum::<usize>();
    let offset = |line, column: u32| line_start(line) + column as usize - 1;
    offset(span.start_line, span.start_column)..offset(span.end_line, span.end_column)
}

#[test]
fn every_rule_has_a_sample_and_its_own_id() {
    let mut ids = BTreeSet::new();
    for rule in rules() {
        assert!(ids.insert(rule.id), "{} is there twice", rule.id);
        assert!(rule.id.starts_with("secret/"), "{}", rule.id);
        assert!(rule.keywords.iter().all(|keyword| keyword.len() >= 2), "{} has a keyword that is everywhere", rule.id);
    }
    let sampled: BTreeSet<_> = samples::all(Some("a")).into_iter().map(|(rule, _, _)| rule).collect();
    assert_eq!(sampled, ids);
    assert!(ids.len() >= 150, "{}", ids.len());
}

#[test]
fn every_sample_is_found_in_its_place_by_its_rule_alone() {
    let scanner = scanner();
    let mut wrong = Vec::new();
    for seed in ["a", "b", "c"] {
        for (rule, path, sample) in samples::all(Some(seed)) {
            let findings = scanner.scan(path, sample.text.as_bytes());
            let rules: Vec<_> = findings.iter().map(|finding| finding.rule.as_str()).collect();
            if rules != [rule] {
                wrong.push(format!("{rule} {path} {seed}: {rules:?} in {}", sample.text));
            } else if offsets(&sample.text, &findings[0]) != sample.secret {
                wrong.push(format!("{rule} {path} {seed}: misplaced in {}", sample.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_rule_finds_a_sample_without_randomness() {
    let scanner = scanner();
    for (rule, path, sample) in samples::all(None) {
        assert!(found(&scanner.scan(path, sample.text.as_bytes()), rule).is_none(), "{rule}: {}", sample.text);
    }
}

#[test]
fn no_rule_finds_a_sample_that_is_cut_short() {
    let scanner = scanner();
    for (rule, path, sample) in samples::all(Some("a")) {
        let cut = sample.secret.start + sample.secret.len().min(8) - 1;
        let text = [&sample.text[..cut], &sample.text[sample.secret.end..]].concat();
        assert!(found(&scanner.scan(path, text.as_bytes()), rule).is_none(), "{rule}: {text}");
    }
}

#[test]
fn no_token_is_found_within_a_word() {
    let scanner = scanner();
    let begins_anywhere = |id| {
        let rule = rules().find(|rule| rule.id == id).expect("every sample has a rule");
        // These begin with a sign, or are values that their name gives away.
        !matches!(rule.find, Find::After(_) | Find::Around(..))
            || rule.keywords[0].starts_with(|sign: char| !sign.is_alphanumeric())
    };
    for (rule, path, sample) in samples::all(Some("a")) {
        // Where the keyword is not part of the secret, the word would be the keyword's.
        let keyword_outside =
            matches!(rule, "secret/azure-storage-key" | "secret/azure-shared-access-key" | "secret/azure-sas");
        if begins_anywhere(rule) && rule != "secret/telegram-bot" || keyword_outside {
            continue;
        }
        let (before, after) = sample.text.split_at(sample.secret.start);
        let text = format!("{before}z9Z{after}");
        let findings = scanner.scan(path, text.as_bytes());
        assert!(found(&findings, rule).is_none(), "{rule}: {text}");
    }
}

#[test]
fn no_finding_tells_the_secret() {
    let scanner = scanner();
    for (rule, path, sample) in samples::all(Some("a")) {
        for finding in scanner.scan(path, sample.text.as_bytes()) {
            let told = format!("{finding:?}");
            let parts = sample.random.iter().flat_map(|part| part.as_bytes().windows(6));
            for part in parts.filter_map(|part| std::str::from_utf8(part).ok()) {
                assert!(!told.contains(part), "{rule} tells {part}: {told}");
            }
            assert!(!told.contains(&sample.text[sample.secret.clone()]), "{rule}: {told}");
        }
    }
}

#[test]
fn a_wrong_checksum_is_worth_a_note_only() {
    let scanner = scanner();
    for (rule, path, sample) in samples::all(Some("a")) {
        if !matches!(rule, "secret/github-pat" | "secret/github-oauth" | "secret/github-app" | "secret/npm") {
            continue;
        }
        let mut text = sample.text.into_bytes();
        let last = sample.secret.end - 1;
        text[last] = if text[last] == b'0' { b'1' } else { b'0' };
        let findings = scanner.scan(path, &text);
        assert_eq!(findings[0].severity, Severity::Info, "{rule}");
        assert!(findings[0].message.ends_with(", but its checksum is wrong"), "{}", findings[0].message);
    }
}

#[test]
fn the_words_of_a_finding() {
    let scanner = scanner();
    let (_, path, sample) = samples::all(Some("a")).remove(0);
    let findings = scanner.scan(path, sample.text.as_bytes());
    let finding = &findings[0];
    assert_eq!(finding.severity, Severity::Error);
    assert_eq!(finding.message, "this is a GitHub personal access token (`ghp_…`)");
    assert_eq!(
        finding.help.as_deref(),
        Some(
            "revoke it and keep its successor out of the repository; if it is harmless, end the line with the comment \
             `sluice-scan:allow`"
        )
    );
    let [(name, fingerprint)] = finding.properties.as_slice() else { panic!("{:?}", finding.properties) };
    assert_eq!((name.as_str(), fingerprint.len()), ("fingerprint", 32));
}
