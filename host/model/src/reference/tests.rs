use super::*;

const HEX: &str = "abababababababababababababababababababababababababababababababab";

#[test]
fn references_are_read_as_they_are_displayed() {
    for text in [
        "lint",
        "./vendor/x.wasm",
        "oci://ghcr.io/acme/check",
        "oci://ghcr.io/acme/check:1.2",
        "oci://localhost:5000/check:v1.2-rc_1",
        "oci://[::1]:5000/a/b__c/d.e-f",
        "https://example.org/a/b.wasm",
        "https://example.org:8443/a@b/c.wasm?x=1",
        "http://127.0.0.1:8080/x.wasm",
        &format!("oci://ghcr.io/acme/check@sha256:{HEX}"),
        &format!("oci://ghcr.io/acme/check:1.2@sha256:{HEX}"),
        &format!("https://example.org/x.wasm@sha256:{HEX}"),
    ] {
        let reference = PluginRef::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        assert_eq!(reference.to_string(), text);
        assert_eq!(reference.digest().is_some(), text.contains("@sha256:"), "{text}");
    }
    let odd = PluginRef::parse("oci://GHCR.io./acme/check").unwrap();
    assert_eq!(odd.to_string(), "oci://ghcr.io/acme/check", "a host has one spelling");
}

#[test]
fn what_could_mean_something_else_is_refused() {
    for text in [
        "",
        "Lint",
        "oci://",
        "oci://ghcr.io",
        "oci://ghcr.io/",
        "oci:///check",
        "oci://user@ghcr.io/check",
        "oci://ghcr.io/Acme/check",
        "oci://ghcr.io/acme//check",
        "oci://ghcr.io/acme/../check",
        "oci://ghcr.io/acme/check:",
        "oci://ghcr.io/acme/check:-x",
        "oci://ghcr.io/acme/check:a:b",
        "oci://ghcr.io/acme/check:a/b",
        "oci://ghcr.io/acme/check@sha256:abc",
        "oci://ghcr.io/acme/check@sha512:abc",
        "oci://ghcr.io:0/check",
        "oci://ghcr.io:+5/check",
        "oci://0x7f.1/check",
        "http://example.org/x.wasm",
        "http://localhost.example.org/x.wasm",
        "https://user:pw@example.org/x.wasm",
        "https://example.org",
        "https://example.org?x",
        "https://example.org/x.wasm#sha256:abc",
        "https://example.org/x.wasm@sha256:abc",
        "https://example.org/ü.wasm",
        "https://example.org/a b.wasm",
        "https://127.1/x.wasm",
        "ftp://example.org/x.wasm",
    ] {
        assert!(PluginRef::parse(text).is_err(), "{text}");
    }
}

#[test]
fn versions_of_one_thing_are_told_from_others() {
    let parse = |text: &str| PluginRef::parse(text).unwrap();
    let pinned = format!("oci://ghcr.io/acme/check:2@sha256:{HEX}");
    assert!(parse("oci://ghcr.io/acme/check:1").is_version_of(&parse(&pinned)));
    assert!(!parse("oci://ghcr.io/acme/check:1").is_version_of(&parse("oci://ghcr.io/acme/check2:1")));
    assert!(!parse("oci://ghcr.io/acme/check:1").is_version_of(&parse("oci://localhost/acme/check:1")));
    assert!(parse("./a/b.wasm").is_same(&parse("a//./b.wasm")));
    assert!(!parse("./a/b.wasm").is_same(&parse("/a/b.wasm")));
    assert!(!parse("./a/b.wasm").is_same(&parse("./a/../b.wasm")));
}
