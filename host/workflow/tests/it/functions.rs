//! `semver` and `hash` in expressions.

use serde_json::{Value, json};
use sluice_model::Span;
use sluice_workflow::Template;
use sluice_workflow::template::{Context, FILES_ROOT, files_key};

use crate::good;

fn evaluate(expression: &str) -> Result<Value, String> {
    let context = Context::new()
        .with("inputs", &json!({"version": "v1.29.3", "count": 3, "list": ["1.2", "1.10"], "on": true}))
        .with(FILES_ROOT, &json!({files_key(&["src/**".into(), "!x".into()]): "cafe"}));
    let template = Template::parse(&format!("${{{{ {expression} }}}}"), Span::new(0, 0))
        .map_err(|problems| problems[0].message.clone())?;
    template.evaluate(&context).map_err(|problem| problem.message.rsplit("has no value: ").next().unwrap().to_owned())
}

#[test]
fn functions_have_values() {
    for (expression, expected) in [
        ("semver.gte(inputs.version, '1.29')", json!(true)),
        ("semver.gt('1.10', '1.9')", json!(true)),
        ("semver.gt('1.2', '1.2.0')", json!(false)),
        ("semver.lt('1.2.3-rc.1', '1.2.3')", json!(true)),
        ("semver.lte('v2', '2.0.0')", json!(true)),
        ("semver.eq('1.0.0+a', '1.0.0+b')", json!(true)),
        ("semver.matches(inputs.version, '>=1.29, <2')", json!(true)),
        ("semver.matches('2.0.0', '>=1.29, <2')", json!(false)),
        ("semver.bump(inputs.version, 'minor')", json!("v1.30.0")),
        ("semver.bump('1.2.3', 'major')", json!("2.0.0")),
        ("semver.valid('1.29')", json!(true)),
        ("semver.valid('latest')", json!(false)),
        ("!semver.valid('x') && semver.valid('1')", json!(true)),
        ("inputs.list.filter(v, semver.gte(v, '1.3'))", json!(["1.10"])),
        ("inputs.list.map(semver, semver.startsWith('1.1'))", json!([false, true])),
        ("hash.sha256('')", json!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")),
        ("hash.sha256('abc').size()", json!(64)),
        ("hash.files('src/**', '!x')", json!("cafe")),
    ] {
        assert_eq!(evaluate(expression), Ok(expected), "{expression}");
    }
}

#[test]
fn functions_say_why_they_have_none() {
    for (expression, expected) in [
        (
            "semver.gt('1', 'x')",
            "`semver.gt` failed: its second argument is no version: it does not begin with a number",
        ),
        ("semver.gt(inputs.count, '1')", "`semver.gt` failed: its first argument is of the type `int`, not text"),
        ("semver.gt('1')", "`semver.gt` failed: it takes 2 arguments, and there are 1"),
        ("semver.bump('1', 'micro')", "`semver.bump` failed: its second argument is not `major`, `minor` or `patch`"),
        (
            "semver.bump('18446744073709551615', 'major')",
            "`semver.bump` failed: a number of the version gets too large",
        ),
        ("hash.files('other')", "`hash.files` failed: its globs were not known before the run"),
        ("semver.none('1')", "`semver.none` is not known here"),
    ] {
        assert_eq!(evaluate(expression), Err(expected.to_owned()), "{expression}");
    }
}

#[test]
fn globs_are_collected_wherever_they_stand() {
    let workflow = good::parse(
        "env: {A: \"${{ hash.files('a') }}\"}\njobs:\n  x:\n    if: hash.files('b', '!c') != ''\n    outputs: {o: \"${{ [1].map(i, hash.files('d'))[0] }}\"}\n    steps:\n    - run: echo ${{ hash.files('a') }}\nfinally:\n- run: echo ${{ hash.files(\"e\") }}\n",
    );
    let globs: Vec<String> = workflow.file_hashes.iter().map(|globs| globs.value.join(" ")).collect();
    assert_eq!(globs, ["a", "b !c", "d", "e"]);
    let text = workflow.source.text();
    let marked: Vec<&str> = workflow.file_hashes.iter().map(|globs| &text[globs.span.start..globs.span.end]).collect();
    assert_eq!(marked, ["hash.files"; 4]);
    assert!(workflow.uses_root("hash"));
}
