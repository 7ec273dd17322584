//! Building findings.

use crate::{Finding, Fix, Severity, Span};

impl Finding {
    /// A finding without a place. `rule` is the stable id of the rule, for example `dockerfile/pin-base-image`.
    pub fn new(severity: Severity, rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            severity,
            message: message.into(),
            span: None,
            help: None,
            fix: None,
            properties: Vec::new(),
        }
    }

    /// A finding that should stop a run.
    pub fn error(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, message)
    }

    /// A finding that somebody should look at.
    pub fn warning(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, message)
    }

    /// A finding that is good to know.
    pub fn info(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Info, rule, message)
    }

    /// Where it is.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// A change that would remove it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// The rule's name in another tool; several are possible.
    #[must_use]
    pub fn alias(self, name: impl Into<String>) -> Self {
        self.property("alias", name)
    }

    /// One more fact by name.
    #[must_use]
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }
}

impl Span {
    /// The place of the bytes `range` of `text`, which is the text of the file `path`. Offsets are byte offsets; one
    /// inside a character counts as its start, one past the end as the end. Takes time linear in `text`: for many
    /// places in one file keep an index of its lines instead.
    pub fn of(path: impl Into<String>, text: &str, range: std::ops::Range<usize>) -> Self {
        let (start_line, start_column) = line_column(text, range.start);
        let (end_line, end_column) = line_column(text, range.end.max(range.start));
        Self { path: path.into(), start_line, start_column, end_line, end_column }
    }
}

fn line_column(text: &str, offset: usize) -> (u32, u32) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    let column = before[line_start..].chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "ab\nçd\n";
        let cases = [
            (0..2, (1, 1, 1, 3)),
            (3..5, (2, 1, 2, 2)),
            (5..6, (2, 2, 2, 3)),
            (4..6, (2, 1, 2, 3)),
            (2..99, (1, 3, 3, 1)),
        ];
        for (range, expected) in cases {
            let span = Span::of("f", text, range.clone());
            let found = (span.start_line, span.start_column, span.end_line, span.end_column);
            assert_eq!(found, expected, "{range:?}");
        }
    }

    #[test]
    fn a_finding_is_built_step_by_step() {
        let span = Span::of("Dockerfile", "FROM x", 0..6);
        let finding = Finding::warning("dockerfile/pin", "unpinned").at(span.clone()).help("pin it").alias("DL3006");
        assert_eq!(
            finding,
            Finding {
                rule: "dockerfile/pin".to_owned(),
                severity: Severity::Warning,
                message: "unpinned".to_owned(),
                span: Some(span),
                help: Some("pin it".to_owned()),
                fix: None,
                properties: vec![("alias".to_owned(), "DL3006".to_owned())],
            }
        );
    }
}
