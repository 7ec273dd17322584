//! Values of expressions and templates.

use serde_json::{Value, json};
use sluice_model::Span;
use sluice_workflow::Template;
use sluice_workflow::template::{Context, FUNCTIONS};

fn context() -> Context {
    Context::new()
        .with("inputs", &json!({"name": "x", "count": 3, "ratio": 0.5, "on": true, "list": ["a", "b"], "map": {"k": 1}, "dry-run": false, "none": null}))
        .with("steps", &json!({"a": {"outcome": "passed", "outputs": {"n": 7}}}))
}

fn evaluate(text: &str) -> Result<Value, String> {
    let template = Template::parse(text, Span::new(0, 0)).map_err(|problems| problems[0].message.clone())?;
    template.evaluate(&context()).map_err(|problem| problem.message)
}

#[test]
fn a_lone_expression_keeps_its_type() {
    for (text, expected) in [
        ("${{ inputs.count }}", json!(3)),
        ("${{inputs.ratio}}", json!(0.5)),
        ("${{ inputs.on }}", json!(true)),
        ("${{ inputs.none }}", json!(null)),
        ("${{ inputs.list }}", json!(["a", "b"])),
        ("${{ inputs.map }}", json!({"k": 1})),
        ("${{ {'b': 1, 'a': {'c': 2}} }}", json!({"a": {"c": 2}, "b": 1})),
        ("${{ inputs[\"dry-run\"] }}", json!(false)),
        ("${{ inputs.list.map(i, i + '!') }}", json!(["a!", "b!"])),
        ("${{ inputs.list.join(', ') }}", json!("a, b")),
        ("${{ [1, true, 'x'].join('-') }}", json!("1-true-x")),
        ("${{ has(inputs.gone) }}", json!(false)),
        ("${{ inputs.name.matches('^[a-z]$') }}", json!(true)),
        ("${{ inputs.count > 2 ? 'many' : 'few' }}", json!("many")),
        ("${{ size(inputs.list) + steps.a.outputs.n }}", json!(9)),
        ("${{ '}}' + \"}}\" }}", json!("}}}}")),
        ("${{ r'\\' + '\\'' }}", json!("\\'")),
        ("${{ '${{' }}", json!("${{")),
    ] {
        assert_eq!(evaluate(text), Ok(expected), "{text}");
    }
}

#[test]
fn scalars_inside_text_become_text() {
    for (text, expected) in [
        ("plain", "plain"),
        (" ${{ inputs.count }}", " 3"),
        ("${{ inputs.name }}-${{ inputs.ratio }}-${{ inputs.on }}", "x-0.5-true"),
        ("$ {{ }} $${{ inputs.name }} }}", "$ {{ }} $x }}"),
        ("ü ${{ 'ö' }}\n${{ inputs.name }}\n", "ü ö\nx\n"),
    ] {
        assert_eq!(evaluate(text), Ok(json!(expected)), "{text}");
    }
}

#[test]
fn what_has_no_value_says_why() {
    for (text, expected) in [
        ("a ${{ inputs.list }}", "`inputs.list` is a list, which cannot stand inside text"),
        ("a ${{ inputs.none }}", "`inputs.none` is null, which cannot stand inside text"),
        ("${{ inputs.gone }}", "the expression `inputs.gone` has no value: there is no `gone`"),
        ("${{ inputs.list[5] }}", "the expression `inputs.list[5]` has no value: the list has no item 5"),
        ("${{ needs.x }}", "the expression `needs.x` has no value: `needs` is not known here"),
        ("${{ 1 / 0 }}", "the expression `1 / 0` has no value: it divides by zero"),
        ("${{ 1.0 / 0.0 }}", "the expression `1.0 / 0.0` has no value: its value is a number that is not finite"),
        (
            "${{ 9223372036854775807 + 1 }}",
            "the expression `9223372036854775807 + 1` has no value: a number gets too large",
        ),
        (
            "${{ inputs.name + 1 }}",
            "the expression `inputs.name + 1` has no value: `+` does not work on `string` and `int`",
        ),
        ("${{ inputs.name.matches('(') }}", "see below"),
        ("${{ b'x' }}", "the expression `b'x'` has no value: its value is of the type `bytes`, which is no JSON value"),
        ("${{ {1: 2} }}", "the expression `{1: 2}` has no value: its value is a mapping with a key that is not text"),
        ("${{ [[1]].join('') }}", "the expression `[[1]].join('')` has no value: `join` failed: an item is a list"),
        (
            "${{ [1].map(a, [1].map(b, [1].map(c, c))) }}",
            "`[1].map(a, [1].map(b, [1].map(c, c)))` is not a valid expression: loops are nested more than 2 deep",
        ),
    ] {
        let result = evaluate(text);
        if expected == "see below" {
            assert!(result.is_err(), "{text}");
        } else {
            assert_eq!(result, Err(expected.to_owned()), "{text}");
        }
    }
}

#[test]
fn conditions_are_booleans() {
    let workflow = crate::good::parse(
        "inputs: {name: {required: false}}\nsteps:\n- {run: x, if: inputs.name}\n- {run: x, if: true}\n- {run: x, if: inputs.name == null}\n",
    );
    let steps = &workflow.jobs["main"].steps;
    let holds = |index: usize, value: Value| {
        let context = Context::new().with("inputs", &json!({"name": value}));
        let condition = steps[index].condition.as_ref().expect("a condition");
        condition
            .holds(&context)
            .map_err(|problem| (problem.message, problem.labels[0].span == condition.expression.span))
    };
    assert_eq!(holds(0, json!(true)), Ok(true));
    assert_eq!(holds(0, json!("true")), Err(("the condition `inputs.name` is text, not a boolean".into(), true)));
    assert_eq!(holds(1, json!(null)), Ok(true));
    assert_eq!(holds(2, json!(null)), Ok(true));
}

/// What the check lets pass can be called.
#[test]
fn functions_exist() {
    for name in FUNCTIONS {
        let calls = [
            format!("${{{{ {name}('1') }}}}"),
            format!("${{{{ '1'.{name}('1') }}}}"),
            format!("${{{{ ['1'].{name}('1') }}}}"),
        ];
        let known = calls
            .iter()
            .any(|call| evaluate(call).map_or_else(|message| !message.contains("is not known here"), |_| true));
        assert!(known, "{name}");
    }
    assert!(evaluate("${{ nothing('1') }}").is_err_and(|message| message.contains("is not known here")));
}

/// Long and deep expressions are refused or evaluated, never a stack overflow.
#[test]
fn size_is_limited() {
    let cases = [
        format!("1{}", "+1".repeat(2000)),
        format!("{}true", "!".repeat(4000)),
        format!("{}1{}", "(".repeat(2000), ")".repeat(2000)),
        format!("{}1{}", "[".repeat(2000), "]".repeat(2000)),
        format!("true{}", "&&true".repeat(600)),
        format!("inputs{}", ".a".repeat(2000)),
        format!("inputs{}", "[0]".repeat(1300)),
        format!("true{}", "?true:true".repeat(400)),
        "x".repeat(5000),
    ];
    for case in cases {
        let _ = evaluate(&format!("${{{{ {case} }}}}"));
    }
    assert!(
        evaluate(&format!("${{{{ '{}' }}}}", "x".repeat(5000)))
            .is_err_and(|message| message.ends_with("it is longer than 4096 bytes"))
    );
}
