//! Finds scripts whose first line does not say what runs them.

use sluice_sdk::{Failure, Finding, Lint, Sink, Span, Step};

#[derive(serde::Deserialize)]
struct Inputs {
    paths: Vec<String>,
}

struct Plugin;

impl Lint for Plugin {
    fn lint(step: &Step, sink: &Sink) -> Result<(), Failure> {
        let inputs: Inputs = step.inputs()?;
        let paths = step.files(&inputs.paths)?;
        for path in &paths {
            let bytes =
                std::fs::read(path).map_err(|error| Failure::failed(format!("cannot read `{path}`: {error}")))?;
            sink.findings(check(path, &String::from_utf8_lossy(&bytes)).into_iter().collect());
        }
        sink.output("scripts", paths.len())
    }
}

/// A rule is an ordinary function, so an ordinary test can call it.
fn check(path: &str, text: &str) -> Option<Finding> {
    if text.is_empty() || text.starts_with("#!") {
        return None;
    }
    let first_line = 0..text.find('\n').unwrap_or(text.len());
    Some(
        Finding::warning("shell/shebang", "the first line does not say what runs this script")
            .at(Span::of(path, text, first_line))
            .help("begin the file with `#!/bin/sh`"),
    )
}

sluice_sdk::plugin!(Plugin: Lint, "plugin.yaml");

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_a_script_without_a_shebang_is_found() {
        assert_eq!(check("a.sh", "#!/bin/sh\necho\n"), None);
        assert_eq!(check("a.sh", ""), None);
        let finding = check("a.sh", "echo\n").unwrap();
        let span = finding.span.unwrap();
        assert_eq!((span.start_line, span.start_column, span.end_column), (1, 1, 5));
    }
}
