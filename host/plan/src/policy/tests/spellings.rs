//! Odd spellings: each is brought into the one spelling, or refused.

use sluice_model::grant::{Capability, Grant};
use sluice_model::{Digest, PluginRef};

use super::layer;
use crate::policy::{Candidate, PluginRule, Policies};

fn permits(policy: &str, plugin: &str, capability: Capability, grant: &str) -> bool {
    let reference = PluginRef::parse(plugin).unwrap();
    let candidate = Candidate { reference: &reference, digest: Digest::from_bytes([1; 32]) };
    let grant = Grant::parse(capability, grant).unwrap_or_else(|reason| panic!("{grant}: {reason}"));
    Policies::new(vec![layer(policy)]).grant(&candidate, &grant).is_allowed()
}

/// Capability, what the policy permits, what a step gets, whether that is permitted.
const GRANTS: &[(Capability, &str, &str, bool)] = &[
    // Hosts.
    (Capability::Http, "GET https://a.example.com", "GET https://A.Example.COM", true),
    (Capability::Http, "GET https://a.example.com.", "GET https://a.example.com", true),
    (Capability::Http, "GET https://a.example.com", "GET https://a.example.com.:443/x", true),
    (Capability::Http, "GET https://a.example.com", "GET https://a.example.com:8443", false),
    (Capability::Http, "GET https://a.example.com", "GET http://a.example.com:443", false),
    (Capability::Http, "GET https://*.example.com", "GET https://example.com", false),
    (Capability::Http, "GET https://*.example.com", "GET https://a.example.com.evil.org", false),
    (Capability::Http, "GET https://*.example.com", "GET https://evilexample.com", false),
    (Capability::Http, "GET https://xn--exmple-cua.com", "GET https://XN--EXMPLE-CUA.com", true),
    (Capability::Http, "GET http://10.0.0.1", "GET http://10.0.0.1.", true),
    (Capability::Http, "GET http://10.0.0.1", "GET http://[::ffff:10.0.0.1]", false),
    (Capability::Http, "GET http://[::1]", "GET http://[0:0:0:0:0:0:0:1]", true),
    (Capability::Http, "GET https://a.example.com", "GET https://a.example.com private", false),
    (Capability::Http, "GET https://a.example.com private", "GET https://a.example.com private", true),
    (Capability::Http, "GET https://a.example.com private", "GET https://a.example.com", true),
    (Capability::Tcp, "db.example.com:5432", "DB.example.com.:5432", true),
    (Capability::Tcp, "db.example.com:5432", "db.example.com:5432 private", false),
    (Capability::Tcp, "10.0.0.1:80", "[::ffff:10.0.0.1]:80", true),
    (Capability::Tcp, "10.0.0.1:80", "[::ffff:a00:1]:080", true),
    // Paths.
    (Capability::Files, "read a", "read ./a/", true),
    (Capability::Files, "read ./a//b/", "read a/./b/c", true),
    (Capability::Files, "read a", "read ab", false),
    (Capability::Files, "read a", "read A", false),
    (Capability::Files, "read .", "write a", false),
    // Programs, secrets and variables.
    (Capability::Exec, "git", "Git", false),
    (Capability::Exec, "git", "git2", false),
    (Capability::Exec, "git", "git status", true),
    (Capability::Exec, "git log **", "git log -1", true),
    (Capability::Exec, "git log **", "git push", false),
    (Capability::Exec, "git log **", "git", false),
    (Capability::Paths, "read ~/.config", "read ~/.config//git/", true),
    (Capability::Paths, "read ~/.config", "read ~/.configs", false),
    (Capability::Toolchain, "rust", "node", false),
    (Capability::Secrets, "DEPLOY_*", "DEPLOY_KEY", true),
    (Capability::Secrets, "DEPLOY_*", "DEPLOY_", true),
    (Capability::Secrets, "DEPLOY_*", "deploy_key", false),
    (Capability::Secrets, "DEPLOY_*", "MY_DEPLOY_KEY", false),
    (Capability::Secrets, "*_KEY", "DEPLOY_KEY", true),
    (Capability::Secrets, "*_KEY", "DEPLOY_KEY2", false),
    (Capability::Secrets, "A*B*C", "A_B_C", true),
    (Capability::Secrets, "A*B*C", "A_C", false),
    (Capability::Secrets, "A*A", "A", false),
    (Capability::Secrets, "*", "ANY", true),
    (Capability::Secrets, "DEPLOY_*", " DEPLOY_KEY\n", true),
    (Capability::Secrets, "DEPLOY_*", "DEPLOY_KEY @ https://a.example.com", true),
    (Capability::Secrets, "DEPLOY_*", "DEPLOY_KEY reveal", false),
    (Capability::Secrets, "DEPLOY_*  reveal", "DEPLOY_KEY reveal", true),
    (Capability::Secrets, "DEPLOY_* @ https://a.example.com", "DEPLOY_KEY @ https://A.example.com.:443", true),
    (Capability::Secrets, "DEPLOY_* @ https://a.example.com", "DEPLOY_KEY @ https://b.example.com", false),
    (Capability::Secrets, "DEPLOY_* @ https://a.example.com", "DEPLOY_KEY", false),
    (Capability::Http, "POST https://*.example.com", "POST secret:HOOK", false),
    (Capability::Http, "* secret:HOOK", "POST secret:HOOK", true),
    (Capability::Env, "CI_*", "CI_JOB", true),
    (Capability::Env, "CI_*", "CIX", false),
];

#[test]
fn grants_in_odd_spellings_are_held_to_their_rules() {
    for (capability, rule, grant, expected) in GRANTS {
        let policy = format!("version: 1\ngrants: {{{capability}: ['{rule}']}}");
        assert_eq!(permits(&policy, "lint", *capability, grant), *expected, "{rule}: {grant}");
    }
}

#[test]
fn other_spellings_are_no_grants() {
    for (capability, spelling) in [
        (Capability::Http, "GET https://a.example.com@evil.org"),
        (Capability::Http, "GET https://u:p@a.example.com"),
        (Capability::Http, "GET https://a.example.com\\@evil.org"),
        (Capability::Http, "GET https://exämple.com"),
        (Capability::Http, "GET https://a%2eexample.com"),
        (Capability::Http, "GET https://a。example.com"),
        (Capability::Http, "GET https://a..example.com"),
        (Capability::Http, "GET https://a.example.com.."),
        (Capability::Http, "GET HTTPS://a.example.com"),
        (Capability::Http, "get https://a.example.com"),
        (Capability::Http, "GET http://2130706433"),
        (Capability::Http, "GET http://0177.0.0.1"),
        (Capability::Http, "GET http://0x7f000001"),
        (Capability::Http, "GET http://127.1"),
        (Capability::Http, "GET http://127.0.0.1.0x1"),
        (Capability::Http, "GET http://[::1%25lo]"),
        (Capability::Http, "GET http://::1"),
        (Capability::Http, "GET https://a.example.com/a/../b"),
        (Capability::Http, "GET https://a.example.com/a/%2e%2e/b"),
        (Capability::Http, "GET https://a.example.com//b"),
        (Capability::Http, "GET https://a.example.com:"),
        (Capability::Http, "GET https://a.example.com:+443"),
        (Capability::Http, "GET https://a.example.com:0443x"),
        (Capability::Tcp, "0x7f.1:80"),
        (Capability::Tcp, "*.example.com:80"),
        (Capability::Files, "read ../a"),
        (Capability::Files, "read a/../b"),
        (Capability::Files, "read /a"),
        (Capability::Files, "read a\\..\\b"),
        (Capability::Files, "read a\u{0}b"),
        (Capability::Exec, "/usr/bin/git"),
        (Capability::Exec, "./git"),
        (Capability::Exec, "../git"),
        (Capability::Exec, "git/"),
        (Capability::Exec, " /bin/git"),
        (Capability::Exec, ""),
        (Capability::Exec, "gіt"),
        (Capability::Secrets, "DEPLOY KEY"),
        (Capability::Secrets, "DEPLOY-KEY"),
        (Capability::Secrets, "DЕPLOY"),
        (Capability::Env, "A=B"),
        (Capability::Env, "*"),
    ] {
        assert!(Grant::parse(capability, spelling).is_err(), "{capability}: {spelling}");
    }
}

#[test]
fn switches_see_through_spellings() {
    for (policy, capability, grant, expected) in [
        ("shells: false", Capability::Exec, "bash", false),
        ("shells: false", Capability::Exec, "busybox", false),
        ("shells: false", Capability::Exec, "rbash", false),
        ("shells: false", Capability::Exec, "git", true),
        ("shells: true", Capability::Exec, "sh", true),
        ("exec: false", Capability::Exec, "git", false),
        ("exec: false", Capability::Env, "PATH", true),
        ("reveal: false", Capability::Secrets, "TOKEN reveal", false),
        ("reveal: false", Capability::Secrets, "TOKEN", true),
        ("private-networks: false", Capability::Http, "POST secret:HOOK", true),
        ("private-networks: false", Capability::Http, "POST secret:HOOK private", false),
        ("private-networks: false", Capability::Http, "GET https://a.example.com", true),
        ("private-networks: false", Capability::Http, "GET https://a.example.com private", false),
        ("private-networks: false", Capability::Http, "GET https://*.example.com private", false),
        ("private-networks: false", Capability::Http, "GET http://192.168.0.1", false),
        ("private-networks: false", Capability::Http, "GET http://169.254.169.254/x", false),
        ("private-networks: false", Capability::Http, "GET http://8.8.8.8", true),
        ("private-networks: false", Capability::Http, "GET http://[::ffff:10.0.0.1]:81/x", false),
        ("private-networks: false", Capability::Http, "GET http://[::1]", false),
        ("private-networks: false", Capability::Http, "GET http://LOCALHOST.", false),
        ("private-networks: false", Capability::Http, "GET http://a.localhost", false),
        ("private-networks: false", Capability::Http, "GET http://*.a.localhost", false),
        ("private-networks: false", Capability::Tcp, "localhost:80", false),
        ("private-networks: false", Capability::Tcp, "[::ffff:7f00:1]:*", false),
        ("private-networks: false", Capability::Tcp, "db.example.com:5432", true),
        ("private-networks: true", Capability::Tcp, "db.example.com:5432 private", true),
    ] {
        let policy = format!("version: 1\n{policy}");
        assert_eq!(permits(&policy, "lint", capability, grant), expected, "{policy}: {grant}");
    }
}

/// What the policy permits, a plugin, whether it may run.
const PLUGINS: &[(&str, &str, bool)] = &[
    ("lint", "lint", true),
    ("lint", "scan", false),
    ("lint", "./lint", false),
    ("lint", "lint.wasm", false),
    ("*", "lint", true),
    ("*", "./lint.wasm", false),
    ("./*", "lint", false),
    ("./plugins/*", "./plugins/x.wasm", true),
    ("./plugins/*", "plugins//./a/x.wasm", true),
    ("plugins/*", "./plugins/x.wasm", true),
    ("./plugins/*", "./plugins", false),
    ("./plugins/*", "./plugins2/x.wasm", false),
    ("./plugins/*", "./plugins/../x.wasm", false),
    ("./plugins/*", "./other/../plugins/x.wasm", false),
    ("./plugins/*", "/plugins/x.wasm", false),
    ("./plugins/*", "./plugins\\x.wasm", false),
    ("./x.wasm", "x.wasm", true),
    ("x.wasm", ".//x.wasm", true),
    ("./*", "./a/b/x.wasm", true),
    ("./*", "/a/x.wasm", false),
    ("./*", "../x.wasm", false),
    ("/*", "/a/x.wasm", true),
    ("/*", "./a/x.wasm", false),
    ("/*", "/../x.wasm", false),
    ("/opt/sluice/*", "/opt//sluice/./x.wasm", true),
    ("/opt/sluice/*", "/opt/sluice/../x.wasm", false),
    ("*", "oci://ghcr.io/acme/check:1", false),
    ("./*", "oci://ghcr.io/acme/check:1", false),
    ("oci://ghcr.io/acme/*", "oci://GHCR.io.:443/acme/check:1", true),
    ("oci://ghcr.io/acme/*", "oci://ghcr.io/acme/a/b", true),
    ("oci://ghcr.io/acme/*", "oci://ghcr.io/acme2/check", false),
    ("oci://ghcr.io/acme/*", "oci://ghcr.io:5000/acme/check", false),
    ("oci://ghcr.io/acme/*", "oci://ghcr.io.evil.example/acme/check", false),
    ("oci://ghcr.io/acme/check", "oci://ghcr.io/acme/check:1.2@sha256:DIGEST", true),
    ("oci://ghcr.io/acme/check", "oci://ghcr.io/acme/check/more:1", false),
    ("oci://ghcr.io/*", "https://ghcr.io/acme/check.wasm@sha256:DIGEST", false),
    ("https://example.org/p/*", "https://Example.org:443/p/x.wasm@sha256:DIGEST", true),
    ("https://example.org/p/*", "https://example.org/p/../x.wasm@sha256:DIGEST", false),
    ("https://example.org/p/*", "https://example.org/p/%2e%2e/x.wasm@sha256:DIGEST", false),
    ("https://example.org/p/*", "https://example.org/p//x.wasm@sha256:DIGEST", false),
    ("https://example.org/p/x.wasm", "https://example.org/p/x.wasm?version=1@sha256:DIGEST", false),
];

#[test]
fn plugins_in_odd_spellings_are_held_to_their_rules() {
    for (rule, plugin, expected) in PLUGINS {
        let policies = Policies::new(vec![layer(&format!("version: 1\nplugins: ['{rule}']"))]);
        let plugin = plugin.replace("DIGEST", &"01".repeat(32));
        let reference = PluginRef::parse(&plugin).unwrap_or_else(|reason| panic!("{plugin}: {reason}"));
        let candidate = Candidate { reference: &reference, digest: Digest::from_bytes([1; 32]) };
        assert_eq!(policies.plugin(&candidate).is_allowed(), *expected, "{rule}: {plugin}");
    }
}

#[test]
fn a_section_holds_for_every_plugin_that_could_be_meant() {
    for (section, plugin, permitted) in [
        ("deploy", "deploy", false),
        ("deploy", "lint", true),
        ("./plugins/*", "./plugins/x.wasm", false),
        ("./plugins/*", "./a/../plugins/x.wasm", false),
        ("./plugins/*", "/work/plugins/x.wasm", false),
        ("./plugins/*", "./other/x.wasm", true),
    ] {
        let policy = format!("version: 1\nfor: [{{plugins: ['{section}'], grants: {{exec: []}}}}]");
        assert_eq!(permits(&policy, plugin, Capability::Exec, "git"), permitted, "{section}: {plugin}");
    }
}

#[test]
fn a_digest_and_a_signer_are_asked_for() {
    let hex = |byte: &str| byte.repeat(32);
    let reference = PluginRef::parse("./plugins/x.wasm").unwrap();
    let candidate = Candidate { reference: &reference, digest: Digest::from_bytes([1; 32]) };
    let decision =
        |rule: &str| Policies::new(vec![layer(&format!("version: 1\nplugins: [{rule}]"))]).plugin(&candidate);
    assert!(decision(&format!("{{from: './plugins/*', digest: 'sha256:{}'}}", hex("01"))).is_allowed());
    assert!(!decision(&format!("{{from: './plugins/*', digest: 'sha256:{}'}}", hex("02"))).is_allowed());
    assert!(!decision(&format!("{{from: './other/*', digest: 'sha256:{}'}}", hex("01"))).is_allowed());
    let signed = decision("{from: './plugins/*', signer: {key: acme.pub}}");
    assert!(!signed.is_allowed());
    assert!(format!("{signed:?}").contains("asks for a signature by `acme.pub`: nobody looked for one"));
    assert!(decision("{from: './plugins/*', signer: {key: acme.pub}}, ./plugins/x.wasm").is_allowed());
}

#[test]
fn sources_of_plugins_have_one_spelling() {
    for (text, spelling) in [
        ("oci://GHCR.io:443/acme/*", "oci://ghcr.io/acme/*"),
        ("oci://ghcr.io./*", "oci://ghcr.io/*"),
        ("https://example.org:0443/a/x.wasm", "https://example.org/a/x.wasm"),
        ("http://[0::1]:5000/*", "http://[::1]:5000/*"),
        (".//a/./*", "./a/*"),
        ("a/x.wasm", "./a/x.wasm"),
        ("/*", "/*"),
        ("./*", "./*"),
        ("*", "*"),
    ] {
        let rule =
            PluginRule::parse(text, sluice_model::Span::default()).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        assert_eq!(rule.to_string(), spelling);
    }
    for text in [
        "",
        "li*",
        "Lint",
        "./a*",
        "./*/x.wasm",
        "**",
        "../x.wasm",
        "./a/../x.wasm",
        "a\\b.wasm",
        "oci://",
        "oci://*",
        "oci://ghcr.io",
        "oci://*.io/acme/*",
        "oci://ghcr.io/acme/x:1",
        "oci://u@ghcr.io/acme/*",
        "oci://ghcr.io:0/acme/*",
        "oci://ghcr.io/acme//*",
        "oci://ghcr.io/../acme/*",
        "https://example.org/a%2fb/*",
        "https://2130706433/*",
        "OCI://ghcr.io/*",
        "file:///x.wasm",
    ] {
        assert!(PluginRule::parse(text, sluice_model::Span::default()).is_err(), "{text}");
    }
}
