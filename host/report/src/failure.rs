//! Why a step failed, in the look of problems.

use sluice_model::{Failure, Outcome, Problem, Source};

use crate::problems;
use crate::step::StepLog;
use crate::{Options, text};

/// The block under a step that did not pass.
pub fn render(step: &StepLog, outcome: Outcome, failure: &Failure, options: &Options, width: usize) -> String {
    let mut ending = match outcome {
        Outcome::AllowedToFail => "failed, which is allowed".to_owned(),
        Outcome::Cancelled => "was cancelled".to_owned(),
        _ => "failed".to_owned(),
    };
    if step.attempt > 1 {
        ending.push_str(&format!(" after {}", text::count(step.attempt.into(), "attempt")));
    }
    render_failure(format!("step `{}` {ending}", step.name), failure, options, width)
}

/// The block of a job that was not let through, with an empty line before it and behind it.
pub fn render_job(job: &str, failure: &Failure, options: &Options, width: usize) -> String {
    format!("\n{}\n", render_failure(format!("job `{job}` did not run"), failure, options, width))
}

fn render_failure(message: String, failure: &Failure, options: &Options, width: usize) -> String {
    let mut problem = Problem::new(failure.kind.code(), message);
    problem.causes = std::iter::once(&failure.message).chain(&failure.causes).cloned().collect();
    problem.help.clone_from(&failure.help);
    if let Some(place) = &failure.place {
        let source = (options.read_source)(&place.file).map(|text| Source::new(place.file.clone(), text));
        // A file that was changed since would be shown at the wrong place.
        match source.filter(|source| source.line_column(place.span.start) == (place.line, place.column)) {
            Some(source) => problem = problem.at(place.span, place.label.clone()).within(&source),
            None => problem.message.push_str(&format!(" ({}:{}:{})", place.file, place.line, place.column)),
        }
    }
    problems::render_one(&problem, options.look, width)
}
