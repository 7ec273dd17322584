//! Comments and inputs that silence findings.

use sluice_plugin_scan::Scanner;

use crate::sketch::draw;

fn count(scanner: &Scanner, text: &str) -> usize {
    scanner.scan("a.conf", text.as_bytes()).len()
}

#[test]
fn comments_on_the_line_or_before_it() {
    let scanner = Scanner::new(&[], &[]).expect("nothing is disabled or allowed");
    let token = draw("«ghp_{S}»", Some("comment")).text;
    let key = draw("«-----BEGIN PRIVATE KEY-----\n{B90}\n-----END PRIVATE KEY-----»", Some("comment")).text;
    for (text, findings) in [
        (token.clone(), 1),
        (format!("{token} # sluice-scan:allow"), 0),
        (format!("{token} # gitleaks:allow"), 0),
        (format!("{token} # pragma: allowlist secret"), 0),
        (format!("# sluice-scan:allow\n{token}"), 1),
        (format!("# sluice-scan:allow-next-line\n{token}"), 0),
        (format!("# sluice-scan:allow-next-line\n{token}\n{token}"), 1),
        (format!("# sluice-scan:allow-next-line\n{key}"), 0),
        (format!("{key} # sluice-scan:allow"), 0),
    ] {
        assert_eq!(count(&scanner, &text), findings, "{text}");
    }
}

#[test]
fn inputs_allow_by_fingerprint_and_by_expression_and_disable_rules() {
    let token = draw("«ghp_{S}»", Some("input")).text;
    let plain = Scanner::new(&[], &[]).expect("nothing is disabled or allowed");
    let fingerprint = plain.scan("a.conf", token.as_bytes())[0].properties[0].1.clone();
    for (disable, allow, findings) in [
        (vec![], vec![fingerprint.to_uppercase()], 0),
        (vec![], vec!["0".repeat(32)], 1),
        (vec![], vec![format!("^{}", &token[..10])], 0),
        (vec![], vec!["^nothing$".to_owned()], 1),
        (vec!["secret/github-pat".to_owned()], vec![], 0),
        (vec!["secret/jwt".to_owned()], vec![], 1),
    ] {
        let scanner = Scanner::new(&disable, &allow).expect("all entries are well-formed");
        assert_eq!(count(&scanner, &token), findings, "{disable:?} {allow:?}");
    }
}

#[test]
fn all_entries_that_make_no_sense_are_told_at_once() {
    let problems = Scanner::new(&["secret/nothing".to_owned()], &["(".to_owned()]).err();
    assert_eq!(
        problems.expect("both are wrong"),
        [
            "`secret/nothing` in `disable` is not a rule of this plugin",
            "`(` in `allow` is neither a fingerprint nor a regular expression"
        ]
    );
}
