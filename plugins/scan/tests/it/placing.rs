//! Lines, columns, fingerprints.

use sluice_plugin_scan::Scanner;

use crate::sketch::draw;

#[test]
fn columns_count_characters_and_lines_count_from_one() {
    let scanner = Scanner::new(&[], &[]).expect("nothing is disabled or allowed");
    let first = draw("«ghp_{S}»", Some("first")).text;
    let second = draw("«glpat-{w20}»", Some("second")).text;
    let third = draw("«-----BEGIN PRIVATE KEY-----\n{B90}\n-----END PRIVATE KEY-----»", Some("third")).text;
    let text = format!("# schlüssel\r\n\tä🔑 = '{first}' + \"{second}\"\n\n{third}\n");
    let places: Vec<_> = scanner
        .scan("a.conf", text.as_bytes())
        .into_iter()
        .filter_map(|finding| {
            let span = finding.span?;
            Some((finding.rule, span.start_line, span.start_column, span.end_line, span.end_column))
        })
        .collect();
    assert_eq!(
        places,
        [
            ("secret/github-pat".to_owned(), 2, 8, 2, 48),
            ("secret/gitlab-pat".to_owned(), 2, 53, 2, 79),
            ("secret/private-key".to_owned(), 4, 1, 7, 26),
        ]
    );
}

#[test]
fn a_fingerprint_stays_when_the_secret_moves_and_tells_paths_and_secrets_apart() {
    let scanner = Scanner::new(&[], &[]).expect("nothing is disabled or allowed");
    let fingerprint = |path: &str, text: &str| scanner.scan(path, text.as_bytes())[0].properties[0].1.clone();
    let one = draw("«ghp_{S}»", Some("one")).text;
    let other = draw("«ghp_{S}»", Some("other")).text;
    let here = fingerprint("a", &one);
    assert_eq!(here, fingerprint("a", &format!("moved\n\n  down {one}")));
    assert_ne!(here, fingerprint("b", &one));
    assert_ne!(here, fingerprint("a", &other));
}
