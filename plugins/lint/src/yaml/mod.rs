//! YAML: the places of everything, and the rules.

mod parse;
mod rules;
mod tokens;

pub use rules::RULES;

use crate::Config;
use crate::ignore::{self, Ignores, Names, Scope, Yamllint};
use crate::rule::Finding;
use crate::source::Lines;
use tokens::{Mark, Token};

/// A file and everything known of it.
struct File<'a> {
    text: &'a str,
    lines: &'a Lines<'a>,
    yaml: parse::Yaml,
    tokens: Vec<Token>,
}

/// Whether a path is that of a YAML file.
pub fn is_yaml(path: &str) -> bool {
    [".yaml", ".yml"].iter().any(|ending| path.ends_with(ending))
}

/// What the rules say about a YAML file, and what its comments want ignored.
pub fn check(text: &str, lines: &Lines, config: &Config) -> (Vec<Finding>, Ignores) {
    let yaml = parse::parse(text);
    let tokens = tokens::tokens(text, &yaml);
    let file = File { text, lines, yaml, tokens };
    (rules::check(&file, config), ignores(&file))
}

fn ignores(file: &File) -> Ignores {
    let mut ignores = Ignores::default();
    for token in file.tokens.iter().filter(|token| token.mark == Mark::Comment) {
        let comment = &file.text[token.range.clone()];
        let line = file.lines.line(token.range.start);
        let alone = file.text[file.lines.content(line).start..token.range.start].trim().is_empty();
        // A comment with a line for itself speaks of the next line.
        let meant = if alone { line + 1 } else { line };
        match ignore::yamllint(comment) {
            Some(Yamllint::Disable(names)) => ignores.switch(line, true, names),
            Some(Yamllint::Enable(names)) => ignores.switch(line, false, names),
            Some(Yamllint::DisableLine(names)) => ignores.lines(meant, meant, names),
            Some(Yamllint::DisableFile) if line == 1 => ignores.lines(1, usize::MAX, Names::All),
            Some(Yamllint::DisableFile) => {}
            None => match ignore::own(comment) {
                Some((Scope::File, names)) => ignores.lines(1, usize::MAX, names),
                Some((Scope::Here, names)) => ignores.lines(meant, meant, names),
                None => {}
            },
        }
    }
    ignores
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever stands there, it is read, and every place is inside of it.
        #[test]
        fn any_text_is_read(text in r#"((  |\t)*(- |\? |[a-c]: ?|é: |---|%|#|&a |\*a|!!str |[|>][+-]?|["'{}\[\],]|[ -~]|\r|\u{85}|\u{feff})*\n)*"#) {
            let lines = Lines::new(&text);
            let config = Config { enable: vec!["yaml/*".into()], ..Config::default() };
            let (findings, _) = check(&text, &lines, &config);
            for finding in findings {
                prop_assert!(finding.range.start <= finding.range.end && finding.range.end <= text.len());
                prop_assert!(text.is_char_boundary(finding.range.start) && text.is_char_boundary(finding.range.end));
            }
        }
    }
}
