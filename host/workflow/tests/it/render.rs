//! Problems as plain text.

use std::fmt::Write;

use sluice_model::{Problem, Source};

/// Code, message, every label with its place and the text that it covers, help.
pub fn problems(source: &Source, problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        let _ = writeln!(out, "{}\n  {}", problem.code, problem.message);
        for cause in &problem.causes {
            let _ = writeln!(out, "  because {cause}");
        }
        for label in &problem.labels {
            let (line, column) = source.line_column(label.span.start);
            let covered = &source.text()[label.span.start..label.span.end];
            let covered = match covered.char_indices().nth(40) {
                Some((at, _)) => format!("{}...", &covered[..at]),
                None => covered.to_owned(),
            };
            let _ = writeln!(out, "  --> {}:{line}:{column} {covered:?}: {}", source.name(), label.text);
        }
        if let Some(help) = &problem.help {
            let _ = writeln!(out, "  help: {help}");
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}
