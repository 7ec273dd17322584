//! `-i name=value`.

use serde_json::{Value, json};
use sluice_workflow::bind_inputs;

use crate::{good, render};

fn bind(given: &[&str]) -> Result<Value, String> {
    let workflow = good::parse(
        "inputs:\n  who: {description: Whom to greet}\n  count: {type: integer, default: 3, options: [1, 3]}\n  ratio: {type: number, default: 1}\n  dry: {type: boolean, default: true}\n  regions: {type: list, default: [eu], options: [eu, us]}\n  note: {required: false}\nsteps: [{run: x}]\n",
    );
    let given: Vec<(String, String)> = given
        .iter()
        .map(|pair| pair.split_once('=').expect("name=value"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    bind_inputs(&workflow, &given)
        .map(|values| Value::Object(values.into_iter().collect()))
        .map_err(|problems| render::problems(&workflow.source, &problems))
}

#[test]
fn values_are_read_by_type() {
    let defaults = json!({"who": "x", "count": 3, "ratio": 1, "dry": true, "regions": ["eu"], "note": null});
    assert_eq!(bind(&["who=x"]), Ok(defaults.clone()));
    for (given, name, expected) in [
        ("who= a b ", "who", json!(" a b ")),
        ("who=", "who", json!("")),
        ("who=3", "who", json!("3")),
        ("who=y=z", "who", json!("y=z")),
        ("count=1", "count", json!(1)),
        ("ratio=0.25", "ratio", json!(0.25)),
        ("ratio=-2", "ratio", json!(-2)),
        ("dry=false", "dry", json!(false)),
        ("regions=us, eu", "regions", json!(["us", "eu"])),
        ("regions=", "regions", json!([])),
        ("regions=[\"us\"]", "regions", json!(["us"])),
        ("note=n", "note", json!("n")),
    ] {
        let mut wanted = defaults.clone();
        wanted[name] = expected;
        assert_eq!(bind(&["who=x", given]), Ok(wanted), "{given}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let text = bind(&["coutn=1", "count=2", "count=many", "dry=yes", "regions=eu,uk", "ratio=NaN", "zzz=1"])
        .expect_err("problems");
    insta::assert_snapshot!(text, @r#"
    workflow::unknown-input
      the workflow `test` has no input `coutn`
      help: an input with a similar name exists: `-i count=...`

    workflow::unknown-input
      the workflow `test` has no input `zzz`
      help: inputs: `who`, `count`, `ratio`, `dry`, `regions`, `note`

    workflow::missing-input
      the input `who` is required: Whom to greet
      --> workflows/test.yaml:2:3 "who": declared here without a default
      help: give it: -i who=<string>

    workflow::invalid-input
      `many` is no value for the input `count`: expected a whole number
      --> workflows/test.yaml:3:3 "count": declared here as `integer`

    workflow::invalid-input
      `NaN` is no value for the input `ratio`: expected a number
      --> workflows/test.yaml:4:3 "ratio": declared here as `number`

    workflow::invalid-input
      `yes` is no value for the input `dry`: expected `true` or `false`
      --> workflows/test.yaml:5:3 "dry": declared here as `boolean`

    workflow::invalid-input
      `eu,uk` is not among the options of the input `regions`
      --> workflows/test.yaml:6:3 "regions": its options are declared here
      help: options: `eu`, `us`
    "#);
    insta::assert_snapshot!(bind(&["who=x", "count=2", "regions=[1]"]).expect_err("problems"), @r#"
    workflow::invalid-input
      `2` is not among the options of the input `count`
      --> workflows/test.yaml:3:3 "count": its options are declared here
      help: a similar option exists: -i count=1

    workflow::invalid-input
      `[1]` is no value for the input `regions`: expected a JSON list of text, or items with commas between them
      --> workflows/test.yaml:6:3 "regions": declared here as `list`
    "#);
}
