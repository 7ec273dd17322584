//! Whatever the text, parsing ends with problems whose places are in the text.

use proptest::prelude::*;
use sluice_model::Source;
use sluice_workflow::{Template, Workflow};

use crate::good;

fn check(text: &str) -> Result<(), TestCaseError> {
    let source = Source::new("random.yaml", text);
    let (workflow, problems) = sluice_workflow::parse(&source);
    prop_assert!(workflow.is_some() || !problems.is_empty());
    let mut last = 0;
    for problem in &problems {
        prop_assert!(problem.position() >= last, "not in source order");
        last = problem.position();
        for label in &problem.labels {
            prop_assert!(
                text.get(label.span.start..label.span.end).is_some(),
                "{:?} is no place in the text",
                label.span
            );
        }
        prop_assert!(!problem.message.ends_with('.') && !problem.message.is_empty());
    }
    if let Some(workflow) = workflow {
        for template in templates(&workflow) {
            for expression in template.expressions() {
                prop_assert!(text.get(expression.span.start..expression.span.end).is_some());
            }
        }
    }
    Ok(())
}

fn templates(workflow: &Workflow) -> Vec<&Template> {
    let steps = workflow.all_steps();
    steps.flat_map(|step| step.env.values().chain([&step.with])).chain(workflow.env.values()).collect()
}

/// Pieces that mean something here.
const PIECES: &[&str] = &[
    "jobs:",
    "steps:",
    "\n",
    "\n  ",
    "\n- ",
    "- ",
    ": ",
    "run: ",
    "uses: ",
    "${{ ",
    " }}",
    "inputs.",
    "steps.a",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: ",
    "!x ",
    "|\n",
    ">\n",
    "#",
    "\t",
    "if: ",
    "needs: ",
    "env: ",
    "ü",
    "\u{feff}",
    "\\",
    "---\n",
    "...",
    "? ",
    "%YAML 1.2\n",
    "~",
    "\0",
    "\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn pieces(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        check(&pieces.concat())?;
    }

    #[test]
    fn mutations(edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..8, prop::sample::select(PIECES)), 1..6)) {
        let mut text: Vec<char> = good::FULL.chars().collect();
        for (at, removed, added) in edits {
            let at = at.index(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, added.chars());
        }
        check(&text.into_iter().collect::<String>())?;
    }

    #[test]
    fn expressions(text in "[a-z0-9.\\[\\]()'\"+*?:&|!{}, -]{0,40}") {
        check(&format!("steps:\n- run: |\n    ${{{{ {text} }}}}\n- run: x\n  if: >-\n    {text}\n"))?;
    }
}

#[test]
fn a_place_does_not_cut_a_character() {
    // Found by fuzzing.
    let text = "steps:\n  - ünïcödé: x\n";
    let (_, problems) = sluice_workflow::parse(&sluice_model::Source::new("x.yaml", text));
    assert!(!problems.is_empty());
    for label in problems.iter().flat_map(|problem| &problem.labels) {
        assert!(text.get(label.span.start..label.span.end).is_some(), "{label:?}");
    }
}
