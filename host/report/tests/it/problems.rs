//! Problems of a workflow.

use sluice_model::{Problem, Source, Span};
use sluice_report::problems::{render, to_json};

use crate::events::{place_of, workflow};
use crate::{ASCII, COLOR, UNICODE, visible};

fn unknown_field() -> Problem {
    Problem::new("workflow::unknown-field", "unknown field `afters` in step `clean`")
        .at(place_of("afters"), "not a field of a step")
        .help("a field with a similar name exists: `after`")
        .within(&workflow())
}

fn not_declared() -> Problem {
    let message = "plugin `lint/yaml` imports `sluice:host/exec`, which its manifest does not declare";
    Problem::new("plan::not-declared", message)
        .at(place_of("lint/yaml"), "this component could run programs")
        .at(place_of("[fetch]"), "and this is\nelsewhere")
        .cause("the import is there")
        .cause("the declaration is not")
        .help("ask its author to declare `exec`:\n    exec: [\"git\"]\nor use a version that does not import it")
        .within(&workflow())
}

#[test]
fn problems_one_after_another() {
    let plain = Problem::new("cli::no-workflow", "there is no workflow here").help("make one: `sluice init`");
    insta::assert_snapshot!(render(&[unknown_field(), not_declared(), plain], UNICODE, 100));
}

#[test]
fn one_problem_in_ascii() {
    let text = render(&[not_declared()], ASCII, 60);
    assert!(text.is_ascii());
    insta::assert_snapshot!(text);
}

#[test]
fn one_problem_in_colour() {
    insta::assert_snapshot!(visible(&render(&[unknown_field()], COLOR, 100)));
}

#[test]
fn problems_as_json() {
    let json: Vec<_> = [unknown_field(), not_declared()].iter().map(to_json).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
    let nowhere = to_json(&Problem::new("x::y", "z"));
    assert_eq!(
        nowhere.to_string(),
        r#"{"code":"x::y","message":"z","causes":[],"file":null,"line":null,"column":null,"labels":[],"help":null}"#
    );
}

#[test]
fn columns_count_characters() {
    let source = Source::new("ü.yaml", "ä: \"ö\" \n");
    let start = source.text().find('"').unwrap();
    let problem = Problem::new("a::b", "c").at(Span::new(start, start + 4), "here").within(&source);
    insta::assert_snapshot!(render(std::slice::from_ref(&problem), UNICODE, 80), @r#"
    a::b

      × c
       ╭─[ü.yaml:1:4]
     1 │ ä: "ö" 
       ·    ─┬─
       ·     ╰── here
       ╰────
    "#);
    assert_eq!(to_json(&problem)["column"], 4);
}

#[test]
fn any_span_and_any_text_can_be_shown() {
    let texts = ["", "\n", "a", "ä\r\n漢\tb\n\n", "x\u{1b}[2J\u{9b}y\u{202e}z\n", "no line feed\nat the end"];
    for text in texts {
        let source = Source::new("a\u{1b}]0;b\u{7}.yaml", text);
        for start in 0..text.len() + 3 {
            for end in 0..text.len() + 3 {
                let problem = Problem::new("a::b", "c\u{1b}").at(Span::new(start, end), "d\u{1b}").within(&source);
                let shown = render(&[problem.clone(), problem], UNICODE, 80);
                assert!(shown.contains("  × c␛\n"), "{start}..{end} of {text:?}:\n{shown}");
                assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{start}..{end} of {text:?}:\n{shown}");
                assert!(!shown.contains('\u{202e}'));
            }
        }
    }
}
