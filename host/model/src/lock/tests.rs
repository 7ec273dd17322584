use super::*;
use crate::span::Source;

const GOOD: &str = r#"# Plugins from outside: their bytes, and what they may ask for at most. Written by `sluice plugin` and `sluice lock`;
# belongs into version control.
version: 1
vendor: "vendor/plugins"
plugins:
  - source: "./tools/run.wasm"
    digest: sha256:00000000000000000000000000000000000000000000000000000000000000aa
    command: true
  - source: "https://example.org/check.wasm"
    digest: sha256:00000000000000000000000000000000000000000000000000000000000000bb
    name: check
    version: 0.1.0-rc.1
    kinds: [lint, scan]
    capabilities: []
  - source: "oci://registry.example.org/acme/put:1"
    digest: sha256:00000000000000000000000000000000000000000000000000000000000000cc
    oci-manifest: sha256:00000000000000000000000000000000000000000000000000000000000000dd
    name: put
    version: 1.2.3
    kinds: [deploy]
    capabilities:
      - http:
          - "PUT https://*.example.com/*"
          - "GET ${{ with.url }}"
        reason: "uploads \"the\" files"
      - exec:
          - "git"
        reason: "reads the history\u202e"
"#;

fn parse(text: &str) -> Result<Lock, Vec<crate::Problem>> {
    Lock::parse(&Source::new("sluice.lock", text))
}

#[test]
fn a_lock_is_printed_as_it_is_read() {
    let lock = parse(GOOD).unwrap();
    assert_eq!(lock.to_string(), GOOD);
    assert_eq!(parse(&Lock::default().to_string()).unwrap(), Lock::default());
    let mut other = Lock { vendor: lock.vendor.clone(), ..Lock::default() };
    lock.plugins().iter().rev().for_each(|locked| other.insert(locked.clone()));
    assert_eq!(other.to_string(), GOOD, "whatever the order they came in");
}

/// Every problem as `code line:column message | label`.
fn problems(text: &str) -> Vec<String> {
    let source = Source::new("sluice.lock", text);
    let Err(problems) = Lock::parse(&source) else { return vec!["good".into()] };
    let show = |problem: crate::Problem| {
        assert!(CODES.iter().any(|explanation| explanation.code == problem.code), "{}", problem.code);
        let Some(label) = problem.labels.first() else { return format!("{} {}", problem.code, problem.message) };
        let (line, column) = source.line_column(label.span.start);
        format!("{} {line}:{column} {} | {}", problem.code, problem.message, label.text)
    };
    problems.into_iter().map(show).collect()
}

#[test]
fn all_problems_are_told_at_once() {
    let text = "\
version: 1
vendor: ../x
plugin: []
plugins:
  - source: lint
    digest: sha256:00
    name: Check
    version: 1
    kinds: [lnit]
    capabilities:
      - http: [\"GET ftp://x\"]
  - source: oci://GHCR.io/x
    digest: 5
    command: true
    name: x
  - source: oci://ghcr.io/x
    digest: sha256:00000000000000000000000000000000000000000000000000000000000000cc
    command: true
  - source: https://ghcr.io/x@sha256:00000000000000000000000000000000000000000000000000000000000000aa
    digest: sha256:00000000000000000000000000000000000000000000000000000000000000bb
    command: true
  - source: x.wasm
    digest: sha256:00000000000000000000000000000000000000000000000000000000000000cc
    oci-manifest: sha256:00000000000000000000000000000000000000000000000000000000000000dd
    command: true
  - source: ./x.wasm
    digest: sha256:00000000000000000000000000000000000000000000000000000000000000cc
    command: false
";
    assert_eq!(
        problems(text),
        [
            "plan::lock-entry 2:9 `../x` is no folder of the workspace | `../x` leads out of the workspace",
            "plan::lock-field 3:1 unknown field `plugin` in the lock | not a field of a lock",
            "plan::lock-entry 5:13 `lint` is inside Sluice | only plugins from outside are locked",
            "plan::lock-entry 6:13 `digest` is no digest | expected `sha256:` and 64 lowercase hex digits",
            "plan::lock-entry 7:11 `Check` is no name for a plugin | names have lowercase letters, digits and `-`, and begin with a letter",
            "plan::lock-entry 8:14 `1` is no version | unexpected end of input while parsing major version number",
            "plan::lock-entry 9:13 unknown kind `lnit` | not a kind of plugin",
            "plan::lock-field 11:9 a capability has no `reason` | declared here without a reason",
            "plan::lock-entry 11:16 `GET ftp://x` is no grant of `http` | `ftp://x` does not begin with `https://` or `http://`",
            "plan::lock-entry 12:13 `oci://GHCR.io/x` is not how the plugin is spelled here | spelled `oci://ghcr.io/x`",
            "plan::lock-field 13:13 `digest` is an integer, not text | expected text",
            "plan::lock-entry 15:5 a plain command has no `name` | a command declares nothing",
            "plan::lock-field 16:5 an entry of the lock has no `oci-manifest` | missing here",
            "plan::lock-entry 20:13 the digest in `source` is not the one of the entry | differs from `source`",
            "plan::lock-entry 24:19 only an artifact of a registry has an `oci-manifest` | there is none of this source",
            "plan::lock-entry 26:13 `./x.wasm` stands in the lock twice | stands above already",
            "plan::lock-entry 28:14 `command` is false | leave it out instead",
        ]
    );
    assert_eq!(
        problems("version: 2\nother: x\n"),
        ["plan::lock-version 1:10 the lock has version 2 of its format | only version 1 is read"]
    );
    assert_eq!(problems("plugins: []\n"), ["plan::lock-field 1:1 the lock has no `version` | missing here"]);
    assert_eq!(problems("version: 1\nversion: 1\n").len(), 1);
    assert!(problems(&"#".repeat(MAX_BYTES + 1))[0].starts_with("plan::lock-syntax `sluice.lock` is too large"));
}

fn declared(capabilities: &[(&str, &[&str])]) -> Declared {
    Declared {
        name: "x".into(),
        version: Version::new(1, 0, 0),
        kinds: vec![Kind::Task],
        capabilities: capabilities
            .iter()
            .map(|(capability, grants)| Declaration {
                capability: crate::grant::Capability::parse(capability).unwrap(),
                grants: grants.iter().map(|&grant| grant.to_owned()).collect(),
                reason: "why".into(),
            })
            .collect(),
    }
}

#[test]
fn more_is_what_nothing_accepted_covers() {
    type Side = &'static [(&'static str, &'static [&'static str])];
    let cases: &[(Side, Side, &[&str])] = &[
        (&[], &[], &[]),
        (&[("exec", &["git"])], &[], &[]),
        (&[("files", &["read ."])], &[("files", &["read src", "read ./src//a"])], &[]),
        (
            &[("files", &["read ."])],
            &[("files", &["write dist"])],
            &["wider: files `write dist`, because: why; accepted was `read .`"],
        ),
        (&[], &[("exec", &["git", "sh"])], &["new: exec `git`, because: why", "new: exec `sh`, because: why"]),
        (&[("http", &["GET https://*.a.org"])], &[("http", &["GET https://x.a.org/y"])], &[]),
        (
            &[("http", &["GET https://a.org"])],
            &[("http", &["GET https://a.org private"])],
            &["wider: http `GET https://a.org private`, because: why; accepted was `GET https://a.org`"],
        ),
        (&[("http", &["GET https://a.org private"])], &[("http", &["GET https://a.org"])], &[]),
        (&[("http", &["GET ${{ with.url }}"])], &[("http", &["GET ${{ with.url }}"])], &[]),
        (
            &[("http", &["GET ${{ with.url }}"])],
            &[("http", &["GET ${{ with.url }}/*"])],
            &["wider: http `GET ${{ with.url }}/*`, because: why; accepted was `GET ${{ with.url }}`"],
        ),
        (
            &[("http", &["* https://a.org"])],
            &[("http", &["GET https://a.org/${{ with.x }}"])],
            &["wider: http `GET https://a.org/${{ with.x }}`, because: why; accepted was `* https://a.org`"],
        ),
        (
            &[("http", &["GET ${{ with.url }}"])],
            &[("http", &["GET https://a.org"])],
            &["wider: http `GET https://a.org`, because: why; accepted was `GET ${{ with.url }}`"],
        ),
        (
            &[("artifacts", &["write"])],
            &[("artifacts", &["read"])],
            &["wider: artifacts `read`, because: why; accepted was `write`"],
        ),
    ];
    for (accepted, wanted, expected) in cases {
        let found = more(Some(&declared(accepted)), Some(&declared(wanted)));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), *expected, "{accepted:?} {wanted:?}");
    }
}

#[test]
fn a_command_gets_what_steps_grant() {
    let plugin = declared(&[("exec", &["git"])]);
    assert_eq!(more(None, None), []);
    assert_eq!(more(Some(&plugin), None).len(), 1, "its manifest no longer limits it");
    assert_eq!(more(None, Some(&plugin)).len(), 1, "it now has by itself what a step had to grant");
    assert_eq!(more(None, Some(&declared(&[]))), []);
}
