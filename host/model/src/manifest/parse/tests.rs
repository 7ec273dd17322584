use super::*;

const GOOD: &str = r#"
name: lint
version: 0.1.0
description: Checks YAML files and Dockerfiles.
kinds: [lint]
inputs:
  properties:
    paths: {type: array, items: {type: string}, default: ["**/*"]}
    url: {type: string}
  required: [url]
capabilities:
  - files: ["read ."]
    reason: the files to check
  - http: "POST ${{ with.url }}"
    reason: delivers the message
"#;

#[test]
fn a_manifest_is_completed() {
    let manifest = Manifest::parse(&Source::new("plugin.yaml", GOOD)).expect("a good manifest");
    assert_eq!((manifest.name.as_str(), manifest.version.to_string().as_str()), ("lint", "0.1.0"));
    assert_eq!(manifest.kinds, [Kind::Lint]);
    assert_eq!(
        manifest.inputs.to_string(),
        r#"{"properties":{"paths":{"type":"array","items":{"type":"string"},"default":["**/*"]},"url":{"type":"string"}},"required":["url"],"type":"object","additionalProperties":false}"#
    );
    assert_eq!(manifest.outputs, schema::empty());
    let declared: Vec<_> =
        manifest.capabilities.iter().map(|d| (d.capability, d.grants.join(" "), d.reason.as_str())).collect();
    assert_eq!(
        declared,
        [
            (Capability::Files, "read .".to_owned(), "the files to check"),
            (Capability::Http, "POST ${{ with.url }}".to_owned(), "delivers the message"),
        ]
    );
}

/// Every problem as `code line:column message | label`.
fn problems(text: &str) -> Vec<String> {
    let source = Source::new("plugin.yaml", text);
    let Err(problems) = Manifest::parse(&source) else { return vec!["good".into()] };
    let show = |problem: Problem| {
        let label = &problem.labels[0];
        let (line, column) = source.line_column(label.span.start);
        format!("{} {line}:{column} {} | {}", problem.code, problem.message, label.text)
    };
    problems.into_iter().map(show).collect()
}

#[test]
fn all_problems_are_told_at_once() {
    let text = "\
nam: x
version: 1.0
description: ''
kinds: [lnit, task, task]
inputs:
  type: array
  paths: {}
  properties:
    a: {type: strng}
    b: {type: integer, default: many}
  required: [c]
outputs: 3
capabilities:
  - files: [read]
  - http: []
    reason: r
  - exce: [git]
    reason: r
  - exec: [git]
    env: [CI]
    reason: r
  - reason: r
  - secrets: ['${{ with.x']
    reason: r
";
    assert_eq!(
        problems(text),
        [
            "plugin::manifest-unknown-field 1:1 unknown field `nam` in the manifest | not a field of a manifest",
            "plugin::manifest-missing-field 1:1 the manifest has no `name` | missing in this manifest",
            "plugin::manifest-version 2:10 `1.0` is no version | unexpected end of input while parsing minor version number",
            "plugin::manifest-missing-field 3:14 `description` is empty | people read this",
            "plugin::manifest-kind 4:9 unknown kind `lnit` | not a kind of plugin",
            "plugin::manifest-kind 4:21 the kind `task` is named twice | named before",
            "plugin::manifest-schema 6:9 `type` of `inputs` is not right | its `type` is `object`",
            "plugin::manifest-schema 7:3 `paths` of `inputs` is not right | not a keyword for an object here",
            "plugin::manifest-schema 9:15 unknown type `strng` of `a` | not a type of JSON Schema",
            "plugin::manifest-schema 10:33 the default of `b` is text, and its type is `integer` | not of the type `integer`",
            "plugin::manifest-schema 11:14 `inputs` requires `c`, which is no property | not among `properties`",
            "plugin::manifest-wrong-type 12:10 `outputs` is an integer, not a mapping | expected a mapping",
        ]
        .iter()
        .chain(&[
            "plugin::manifest-missing-field 14:5 a capability has no `reason` | declared here without a reason",
            "plugin::manifest-grant 14:13 `read` is no grant of `files` | GRANT",
            "plugin::manifest-capability 15:11 `http` grants nothing | an empty list",
            "plugin::manifest-unknown-field 17:5 unknown field `exce` in a capability | not a field of a declared capability",
            "plugin::manifest-capability 20:5 an entry of `capabilities` names several | one capability and its reason in each entry",
            "plugin::manifest-capability 22:5 an entry of `capabilities` names no capability | one capability and its reason in each entry",
            "plugin::manifest-grant 23:15 `${{ with.x` opens an expression and does not close it | no `}}` follows `${{`",
        ])
        .map(|line| line.replace("GRANT", &Grant::parse(Capability::Files, "read").expect_err("no grant")))
        .collect::<Vec<_>>()
    );
}

#[test]
fn what_is_no_manifest_is_refused() {
    for (text, expected) in [
        ("", "plugin::manifest-empty 1:1 the file is empty | nothing but space and comments"),
        ("[]", "plugin::manifest-wrong-type 1:1 the manifest is a list, not a mapping | expected a mapping"),
        ("a: [", "plugin::manifest-yaml 1:4 not valid YAML: unclosed bracket `[` | the reader stopped here"),
        (
            "name: A\nversion: 0.1.0\ndescription: d\nkinds: []",
            "plugin::manifest-name 1:7 `A` is no name for a plugin | names have lowercase letters, digits and `-`, and begin with a letter\n\
             plugin::manifest-kind 4:8 `kinds` is empty | a plugin has at least one kind",
        ),
    ] {
        assert_eq!(problems(text).join("\n"), expected, "{text}");
    }
}

#[test]
fn every_code_is_explained() {
    let constants: Vec<&str> = include_str!("../codes.rs")
        .lines()
        .filter(|line| line.starts_with("pub const") && line.contains("plugin::"))
        .collect();
    assert_eq!(constants.len(), codes::CODES.len());
    for explanation in codes::CODES {
        assert!(
            constants.iter().any(|line| line.contains(&format!("\"{}\"", explanation.code))),
            "{}",
            explanation.code
        );
        assert!(!explanation.title.is_empty() && !explanation.text.is_empty());
    }
}
