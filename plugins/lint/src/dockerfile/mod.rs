//! Dockerfiles: a parser that never gives up, and the rules.

mod image;
mod logical;
mod model;
mod parse;
mod rules;
mod shell;
mod words;

pub use rules::RULES;

use crate::ignore::{self, Ignores, Scope};
use crate::rule::Finding;
use crate::source::Lines;

/// Endings of what belongs to a Dockerfile, or becomes one.
const NO_DOCKERFILE: &[&str] = &["dockerignore", "md", "txt", "template", "tmpl", "tpl", "j2", "jinja", "erb", "in"];

/// Whether a path is that of a Dockerfile: `Dockerfile`, `Dockerfile.NAME`, `NAME.dockerfile`, and the same with
/// `Containerfile`.
pub fn is_dockerfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let (first, last) = (name.split('.').next().unwrap_or_default(), name.rsplit('.').next().unwrap_or_default());
    let is_base = |part: &str| matches!(part, "Dockerfile" | "Containerfile" | "dockerfile" | "containerfile");
    // A lower case `dockerfile.rs` is a program about Dockerfiles.
    is_base(last) || (is_base(first) && first.starts_with(['D', 'C']) && !NO_DOCKERFILE.contains(&last))
}

/// What the rules say about a Dockerfile, and what its comments want ignored.
pub fn check(text: &str, lines: &Lines) -> (Vec<Finding>, Ignores) {
    let file = parse::parse(text);
    let mut ignores = Ignores::default();
    for (range, number) in &file.comments {
        let comment = &text[range.clone()];
        let Some((scope, names)) = ignore::own(comment).or_else(|| ignore::hadolint(comment)) else { continue };
        match (scope, file.instructions.get(*number)) {
            (Scope::File, _) => ignores.lines(1, usize::MAX, names),
            (Scope::Here, Some(next)) => {
                ignores.lines(lines.line(next.range.start), lines.line(next.range.end), names);
            }
            (Scope::Here, None) => {}
        }
    }
    (rules::check(&model::Model::new(&file)), ignores)
}

/// Where the instruction of a line begins, for tools that tell no other place.
#[cfg(test)]
pub fn instruction_line(text: &str, line: u32) -> u32 {
    let lines = Lines::new(text);
    let file = parse::parse(text);
    let starts = file.instructions.iter().map(|instruction| lines.line(instruction.range.start) as u32);
    starts.rev().find(|start| *start <= line).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dockerfiles_are_recognised() {
        for (path, expected) in [
            ("Dockerfile", true),
            ("a/Dockerfile.dev", true),
            ("b.dockerfile", true),
            ("api.Dockerfile", true),
            ("Containerfile", true),
            ("Dockerfile.dockerignore", false),
            ("mydockerfile", false),
            ("dockerfile.vim", false),
            ("Dockerfile.j2", false),
            ("x/dockerfile", true),
            ("dockerfiles/x.md", false),
        ] {
            assert_eq!(is_dockerfile(path), expected, "{path}");
        }
    }

    proptest! {
        /// Whatever stands there, it is read, and every place is inside of it.
        #[test]
        fn any_text_is_read(text in r#"((FROM|RUN|COPY|ENV|CMD|ONBUILD|SHELL|x|#) ?([ -~é"'$(){}<>\[\],=\\|&;`]|\\\n|<<E|\$\(|apt-get|install|--from=|AS)*\n)*"#) {
            let lines = Lines::new(&text);
            let (findings, _) = check(&text, &lines);
            for finding in findings {
                prop_assert!(finding.range.start <= finding.range.end && finding.range.end <= text.len());
                prop_assert!(text.is_char_boundary(finding.range.start) && text.is_char_boundary(finding.range.end));
            }
        }

        /// A bad line is one finding and takes nothing with it.
        #[test]
        fn the_rest_is_still_seen(junk in "[g-k]{3,8}( [a-z$({\"]{0,8})?") {
            let text = format!("FROM debian:12\n{junk}\nWORKDIR app\n");
            let (findings, _) = check(&text, &Lines::new(&text));
            let rules: Vec<_> = findings.iter().map(|finding| finding.rule.id).collect();
            prop_assert_eq!(rules, ["dockerfile/unknown-instruction", "dockerfile/absolute-workdir"]);
        }
    }
}
