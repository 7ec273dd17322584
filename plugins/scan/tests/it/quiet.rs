//! What is not a secret, and what is one in spite of its looks.

use sluice_plugin_scan::Scanner;
use sluice_sdk::Severity;

use crate::sketch::draw;

#[test]
fn ordinary_text_is_no_secret() {
    let scanner = Scanner::new(&[], &[]).expect("nothing is disabled or allowed");
    let example = concat!("AKIAIOSFOD", "NN7EXAMPLE");
    let hex = draw("«{h64}»", Some("hex")).text;
    let uuid = draw("«{U}»", Some("uuid")).text;
    let value = draw("«{A32}»", Some("value")).text;
    for (path, text) in [
        ("a.env", format!("AWS_ACCESS_KEY_ID={example}")),
        ("a.env", "API_TOKEN=${API_TOKEN}".to_owned()),
        ("a.env", "API_TOKEN=<your token goes here 42>".to_owned()),
        ("a.env", "API_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned()),
        ("a.py", "token = os.environ[\"API_TOKEN_2024_PRODUCTION\"]".to_owned()),
        ("a.rs", "let secret = load_secret_from_store(path0, 16);".to_owned()),
        ("a.rs", "let password_field = \"input[name=password1]\";".to_owned()),
        ("a.rs", "const TOKEN_KIND: &str = \"github-app-installation-v2\";".to_owned()),
        ("a.rs", "(&PKCS_15_TOKEN, \"pkcs-9-at-pkcs15Token\"),".to_owned()),
        ("a.js", "const secretArn = 'arn:aws:secretsmanager:eu-west-1:1:secret:db-1';".to_owned()),
        ("a.yaml", format!("token_sha256: {hex}")),
        ("a.yaml", format!("secret_id: {uuid}")),
        ("a.yaml", format!("image_digest: sha256:{hex}")),
        ("a.yaml", format!("public_key: {value}")),
        ("Cargo.lock", format!("token = \"{value}\"")),
        ("a.min.js", format!("{}secret:\"{value}\"", "a=b;".repeat(500))),
        ("a.md", "curl https://user:password@example.com/".to_owned()),
        ("a.yml", "dsn: postgres://postgres:postgres123456789@localhost/db".to_owned()),
        ("a.yml", "dsn: postgres://$USER:$PASSWORD@db.internal/db".to_owned()),
        ("a.rs", "assert!(text.starts_with(\"-----BEGIN PRIVATE KEY-----\"));".to_owned()),
        ("a.md", "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----".to_owned()),
    ] {
        let findings = scanner.scan(path, text.as_bytes());
        assert!(findings.is_empty(), "{path} {text}: {findings:?}");
    }
}

#[test]
fn tests_may_hold_values_that_look_random_but_no_tokens() {
    let scanner = Scanner::new(&[], &[]).expect("nothing is disabled or allowed");
    let value = draw("secret = '«{A32}»'", Some("value")).text;
    let token = draw("secret = '«ghp_{S}»'", Some("value")).text;
    let severity = |path: &str, text: &str| scanner.scan(path, text.as_bytes())[0].severity;
    assert_eq!(severity("src/a.py", &value), Severity::Warning);
    assert_eq!(severity("tests/a.py", &value), Severity::Info);
    assert_eq!(severity("tests/a.py", &token), Severity::Error);
}

#[test]
fn an_encrypted_key_weighs_less() {
    let scanner = Scanner::new(&[], &[]).expect("nothing is disabled or allowed");
    let key =
        draw("«-----BEGIN ENCRYPTED PRIVATE KEY-----\n{B90}\n-----END ENCRYPTED PRIVATE KEY-----»", Some("a")).text;
    let findings = scanner.scan("key.pem", key.as_bytes());
    assert_eq!(findings[0].severity, Severity::Warning);
    assert_eq!(findings[0].message, "this is a private key, but it is encrypted");
}

#[test]
fn tokens_in_escapes_and_queries_are_found() {
    let scanner = Scanner::new(&[], &[]).expect("nothing is disabled or allowed");
    for sketch in [
        r#"{"log": "login\n«ghp_{S}»\n"}"#,
        "https://a.test/?t%3D«ghp_{S}»",
        r#""{\"api_key\": \"«{A32}»\"}""#,
        "GET /a?api_key=«{A32}»&page=2",
        "Authorization: token «ghp_{S}»",
    ] {
        let sample = draw(sketch, Some("escape"));
        let findings = scanner.scan("a.log.txt", sample.text.as_bytes());
        assert_eq!(findings.len(), 1, "{}", sample.text);
        let span = findings[0].span.as_ref().expect("every finding has a place");
        assert_eq!(span.start_column as usize - 1..span.end_column as usize - 1, sample.secret, "{}", sample.text);
    }
}
