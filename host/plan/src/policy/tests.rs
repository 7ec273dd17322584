//! Policies as they are read, and odd spellings.

mod properties;
mod spellings;

use super::*;

pub fn layer(text: &str) -> Layer {
    Layer::parse(Owner::Repository, &Source::new("sluice-policy.yaml", text)).unwrap()
}

fn problems(text: &str) -> String {
    let problems = Layer::parse(Owner::Repository, &Source::new("sluice-policy.yaml", text)).unwrap_err();
    let shown = problems.iter().map(|problem| {
        assert!(CODES.iter().any(|explanation| explanation.code == problem.code), "{}", problem.code);
        let source = problem.source.as_ref().unwrap();
        let mut shown = format!("{}\n× {}\n", problem.code, problem.message);
        for label in &problem.labels {
            let (line, column) = source.line_column(label.span.start);
            shown += &format!("  {line}:{column}: {}\n", label.text);
        }
        shown + &problem.help.as_ref().map(|help| format!("help: {help}\n")).unwrap_or_default()
    });
    shown.collect::<Vec<_>>().join("\n")
}

const WHOLE: &str = r#"
version: 1
plugins:
  - lint
  - {from: "./plugins/*", digest: "sha256:0101010101010101010101010101010101010101010101010101010101010101"}
  - {from: "oci://GHCR.io:443/acme/*", signer: {key: keys/acme.pub}}
grants:
  files: [write ., read src//a/]
  http: ["GET https://A.example.com./v1/*"]
  exec: []
  secrets: ["DEPLOY_*", TOKEN]
  env: "CI_*"
exec: true
shells: false
reveal: false
private-networks: false
unconfined: false
for:
  - plugins: [deploy, ./plugins/x.wasm]
    shells: true
    grants: {http: []}
"#;

#[test]
fn a_whole_policy_is_read() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&layer(WHOLE).to_json()).unwrap(), @"");
    assert_eq!(layer("version: 1").to_json(), serde_json::json!({}));
}

#[test]
fn all_mistakes_are_told_at_once() {
    insta::assert_snapshot!(problems(r#"
plugin: [lint]
plugins:
  - Lint
  - 7
  - {digest: "sha256:01", signer: {}}
  - {from: "oci://user@ghcr.io/acme/*", signer: {kye: a}}
  - ../x.wasm
  - ./a/*/b
  - oci://ghcr.io/acme/x:1
  - ftp://example.org/*
grants:
  exce: [git]
  exec: [/usr/bin/git, ./git]
  secrets: ["A-*"]
  http: ["GET https://u@a.example.com", "GET http://0x7f.1"]
  files: [read ../x]
shells: no
version: 2
for:
  - {grants: {tcp: ["db:*", "*:5"]}}
  - {plugins: [deploy], unconfined: true}
"#), @"");
    insta::assert_snapshot!(problems("plugins: [a\n"), @"");
    insta::assert_snapshot!(problems("# nothing\n"), @"");
    insta::assert_snapshot!(problems("exec: true\nexec: false\n"), @"");
    insta::assert_snapshot!(problems("- version: 1\n"), @"");
}

#[test]
fn the_digest_is_of_the_meaning() {
    let digest = |texts: &[&str]| Policies::new(texts.iter().map(|text| layer(text)).collect()).digest();
    assert_eq!(digest(&[]), None);
    assert_eq!(digest(&["version: 1", "version: 1\nexec: true\nfor: [{plugins: [lint]}]"]), None);
    let one = digest(&["version: 1\nexec: false\ngrants: {env: [A, B], files: [read ./a/]}"]);
    assert!(one.is_some());
    assert_eq!(
        one,
        digest(&["# a comment\ngrants: {files: [read a], env: [B, A, A]}\nversion: 1\nexec: false\n", "version: 1"])
    );
    assert_ne!(one, digest(&["version: 1\nexec: false\ngrants: {env: [A], files: [read ./a/]}"]));
    let two = ["version: 1\nexec: false", "version: 1\nshells: false"];
    assert_eq!(digest(&two), digest(&[two[1], two[0], two[1]]));
    assert_ne!(digest(&two), digest(&two[..1]));
    assert_ne!(digest(&["version: 1\nplugins: []"]), None, "an empty list permits nothing");
}
