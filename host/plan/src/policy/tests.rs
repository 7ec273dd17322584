//! Policies as they are read, and odd spellings.

mod properties;
mod signers;
mod spellings;

use super::*;

/// A policy of the repository holds for a workspace in it as well, with paths as they are there.
#[test]
fn a_policy_holds_below_its_folder() {
    let text = "version: 1\nplugins: [\"./web/plugins/*\"]\ngrants: {files: [read web/src, read all]}\n";
    let policies = Policies::new(vec![layer(text).above("web".to_owned())]);
    for (plugin, grant, expected) in [
        ("./plugins/a.wasm", "read src/deep", [true, true]),
        ("./../plugins/a.wasm", "read .", [false, false]),
        ("./plugins/../a.wasm", "read web/src", [false, false]),
        ("./a.wasm", "read all", [false, false]),
        ("./web/plugins/a.wasm", "write src", [false, false]),
    ] {
        let reference = PluginRef::parse(plugin).unwrap();
        let candidate = Candidate { reference: &reference, digest: Digest::from_bytes([0; 32]) };
        let grant = Grant::parse(Capability::Files, grant).unwrap();
        let allowed =
            [policies.plugin(&candidate), policies.grant(&candidate, &grant)].map(|decision| decision.is_allowed());
        assert_eq!(allowed, expected, "{plugin} {grant}");
    }
    assert_ne!(policies.digest(), Policies::new(vec![layer(text)]).digest());
}

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
    insta::assert_snapshot!(serde_json::to_string_pretty(&layer(WHOLE).to_json()).unwrap(), @r#"
    {
      "plugins": [
        "./plugins/* with the digest sha256:0101010101010101010101010101010101010101010101010101010101010101",
        "lint",
        "oci://ghcr.io/acme/* signed by keys/acme.pub"
      ],
      "grants": {
        "files": [
          "read src/a",
          "write ."
        ],
        "http": [
          "GET https://a.example.com/v1/*"
        ],
        "exec": [],
        "env": [
          "CI_*"
        ],
        "secrets": [
          "DEPLOY_*",
          "TOKEN"
        ]
      },
      "shells": false,
      "reveal": false,
      "private-networks": false,
      "unconfined": false,
      "for": [
        {
          "grants": {
            "http": []
          },
          "plugins": [
            "./plugins/x.wasm",
            "deploy"
          ]
        }
      ]
    }
    "#);
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
"#), @r#"
    policy::unknown-field
    × unknown field `plugin` in the policy
      2:1: not a field of a policy
    help: a field with a similar name exists: `plugins`

    policy::plugin
    × `Lint` names no plugins
      4:5: a plugin name has lowercase letters, digits and `-`
    help: write a name such as `lint`, a folder such as `./plugins/*`, or a source such as `oci://ghcr.io/acme/*`

    policy::wrong-type
    × an item of `plugins` is an integer, not the name of a plugin, or a mapping with `from`
      5:5: expected the name of a plugin, or a mapping with `from`

    policy::missing-field
    × an item of `plugins` has no `from`
      6:5: says nothing of where it comes from
    help: write where it comes from: `from: "./plugins/*"`; `"*"` are those inside sluice

    policy::plugin
    × `sha256:01` is no digest
      6:14: expected `sha256:` and 64 lowercase hex digits

    policy::missing-field
    × `signer` has neither `key` nor `identity`
      6:35: names nobody
    help: name a public key, `signer: {key: acme.pub}`, or who signs without one, `signer: {identity: me@example.org, issuer: "https://accounts.google.com"}`

    policy::plugin
    × `oci://user@ghcr.io/acme/*` names no plugins
      7:5: a source of plugins has no user name or password
    help: write a name such as `lint`, a folder such as `./plugins/*`, or a source such as `oci://ghcr.io/acme/*`

    policy::missing-field
    × `signer` has neither `key` nor `identity`
      7:49: names nobody
    help: name a public key, `signer: {key: acme.pub}`, or who signs without one, `signer: {identity: me@example.org, issuer: "https://accounts.google.com"}`

    policy::unknown-field
    × unknown field `kye` in `signer`
      7:50: not a field of `signer`
    help: a field with a similar name exists: `key`

    policy::plugin
    × `../x.wasm` names no plugins
      8:5: `../x.wasm` could lead anywhere; write where it leads to
    help: write a name such as `lint`, a folder such as `./plugins/*`, or a source such as `oci://ghcr.io/acme/*`

    policy::plugin
    × `./a/*/b` names no plugins
      9:5: a `*` stands for all that is below a folder, and only at the end: `./plugins/*`
    help: write a name such as `lint`, a folder such as `./plugins/*`, or a source such as `oci://ghcr.io/acme/*`

    policy::plugin
    × `oci://ghcr.io/acme/x:1` names no plugins
      10:5: a rule has no tag or digest in its source; write `digest` beside it
    help: write a name such as `lint`, a folder such as `./plugins/*`, or a source such as `oci://ghcr.io/acme/*`

    policy::plugin
    × `ftp://example.org/*` names no plugins
      11:5: `ftp://` is no source of plugins; there are `oci://` and `https://`
    help: write a name such as `lint`, a folder such as `./plugins/*`, or a source such as `oci://ghcr.io/acme/*`

    policy::unknown-field
    × unknown field `exce` in `grants` of the policy
      13:3: not a field of `grants`
    help: a field with a similar name exists: `exec`

    policy::grant
    × `/usr/bin/git` is no grant of `exec`
      14:10: expected the name of a program on the search path, such as `git`, found `/usr/bin/git`

    policy::grant
    × `./git` is no grant of `exec`
      14:24: expected the name of a program on the search path, such as `git`, found `./git`

    policy::grant
    × `A-*` is no grant of `secrets`
      15:13: expected the name of a secret (letters, digits, `_`), found `A-*`

    policy::grant
    × `GET https://u@a.example.com` is no grant of `http`
      16:10: a URL in a grant has no user name or password

    policy::grant
    × `GET http://0x7f.1` is no grant of `http`
      16:41: `0x7f.1` is not an IPv4 address in its usual form

    policy::grant
    × `read ../x` is no grant of `files`
      17:11: `../x` leads out of the workspace

    policy::wrong-type
    × `shells` is text, not `true` or `false`
      18:9: expected `true` or `false`

    policy::version
    × the policy has a version that this sluice does not know
      19:10: only version 1 is known
    help: write `version: 1`, or use a newer sluice

    policy::missing-field
    × an item of `for` has no `plugins`
      21:5: is about no plugin
    help: name those it is about: `plugins: [deploy]`; for all plugins, write it outside of `for`

    policy::grant
    × `*:5` is no grant of `tcp`
      21:29: a `*` is not possible in the host: name one in each grant

    policy::unknown-field
    × unknown field `unconfined` in an item of `for`
      22:25: not a field of an item of `for`
    help: fields of an item of `for`: `plugins`, `grants`, `exec`, `shells`, `reveal`, `private-networks`
    "#);
    insta::assert_snapshot!(problems("plugins: [a\n"), @r#"
    policy::yaml
    × not valid YAML: unclosed bracket `[`
      1:10: the reader stopped here
    "#);
    insta::assert_snapshot!(problems("# nothing\n"), @r#"
    policy::empty
    × the file is empty
      1:1: nothing but space and comments
    "#);
    insta::assert_snapshot!(problems("exec: true\nexec: false\n"), @r#"
    policy::yaml
    × the key `exec` is given twice
      2:1: given again here
      1:1: first given here
    help: keep one of the two
    "#);
    insta::assert_snapshot!(problems("- version: 1\n"), @r#"
    policy::wrong-type
    × the policy is a list, not a mapping
      1:1: expected a mapping
    "#);
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
