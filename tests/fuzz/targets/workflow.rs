//! Any text is a workflow or has problems, each at a place that is in the text, in source order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_model::Source;

fuzz_target!(|text: &str| {
    let source = Source::new("fuzz.yaml", text);
    let (workflow, problems) = sluice_workflow::parse(&source);
    assert!(workflow.is_some() || !problems.is_empty());
    assert!(problems.is_sorted_by_key(|problem| problem.position()));
    for label in problems.iter().flat_map(|problem| &problem.labels) {
        assert!(text.get(label.span.start..label.span.end).is_some(), "{label:?} is no place in the text");
    }
    for template in workflow.iter().flat_map(|workflow| workflow.all_steps()).map(|step| &step.with) {
        for expression in template.expressions() {
            let (start, end) = (expression.span.start, expression.span.end);
            assert!(text.get(start..end).is_some(), "{} is nowhere", expression.text);
        }
    }
});
