//! `continue-on-error` by expression, decided as early as possible.

use serde_json::json;

use super::{plan, plugin, plugins};

#[test]
fn flags_are_decided_as_far_as_they_are_known() {
    let yaml = "
jobs:
  test:
    continue-on-error: ${{ matrix.lax }}
    matrix: {lax: [true, false]}
    steps: [{uses: exec}]
  plain:
    continue-on-error: ${{ git.branch == 'main' }}
    steps:
    - {id: a, uses: exec}
    - {uses: exec, continue-on-error: '${{ 1 > 2 }}'}
    - {uses: exec, continue-on-error: \"${{ steps.a.outputs.x == 1 }}\"}
    - {uses: exec, continue-on-error: '${{ item }}', for-each: [true]}
";
    let json = plan(yaml, &plugins([plugin("exec", &[])])).unwrap().to_json();
    let flags = |value: &serde_json::Value| -> Vec<serde_json::Value> {
        value.as_array().unwrap().iter().map(|entry| entry["continue-on-error"].clone()).collect()
    };
    let (test, plain) = (&json["jobs"]["test"], &json["jobs"]["plain"]);
    assert_eq!(
        (&test["continue-on-error"], flags(&test["cells"])),
        (&json!("matrix.lax"), vec![json!(true), json!(false)])
    );
    assert_eq!(plain["continue-on-error"], json!(true));
    assert_eq!(flags(&plain["steps"]), [json!(null), json!(null), json!("steps.a.outputs.x == 1"), json!("item")]);
}

#[test]
fn names_are_evaluated_as_far_as_they_are_known() {
    let yaml = "
jobs:
  test:
    name: On ${{ matrix.os }}
    matrix: {os: [a, b]}
    steps: [{name: 'Try ${{ matrix.os }} at ${{ git.branch }}', uses: exec}]
  late:
    name: Plain
    steps:
    - {id: a, uses: exec, name: 'Build ${{ 1 + 1 }}'}
    - {uses: exec, name: 'Ship ${{ steps.a.outputs.x }}'}
";
    let json = plan(yaml, &plugins([plugin("exec", &[])])).unwrap().to_json();
    let (cells, late) = (&json["jobs"]["test"]["cells"], &json["jobs"]["late"]);
    assert_eq!((&cells[1]["title"], &cells[1]["steps"][0]["name"]), (&json!("On b"), &json!("Try b at main")));
    assert_eq!((&late["title"], &late["steps"][0]["name"]), (&json!("Plain"), &json!("Build 2")));
    assert_eq!(late["steps"][1]["name"], json!("Ship ${{ steps.a.outputs.x }}"));
}
