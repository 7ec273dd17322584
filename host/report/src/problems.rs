//! Problems, as people and as programs read them.

use std::error::Error;
use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents};
use miette::{SourceCode, SourceSpan, SpanContents};
use serde_json::{Value, json};
use sluice_model::problem::Label;
use sluice_model::{Problem, Source, Span};

use crate::look::{BOLD, Look};
use crate::text;

/// Problems one after another, with their number if there are several. `width` is in columns.
pub fn render(problems: &[Problem], look: Look, width: usize) -> String {
    let mut out = problems.iter().map(|problem| render_one(problem, look, width)).collect::<Vec<_>>().join("\n");
    if problems.len() > 1 {
        out.push_str(&format!("\n{}\n", look.paint(BOLD, text::count(problems.len() as u64, "problem"))));
    }
    out
}

/// One problem. `width` is in columns; less than 40 counts as 40.
pub fn render_one(problem: &Problem, look: Look, width: usize) -> String {
    let mut theme = match (look.unicode, look.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::none(),
    };
    if look.color {
        theme.styles.highlights = vec![theme.styles.error.bold(), theme.styles.warning, theme.styles.advice];
        theme.styles.link = theme.styles.linum;
    }
    // Words are not broken: paths, URLs and grants stay copyable.
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .without_syntax_highlighting()
        .with_context_lines(1)
        .with_break_words(false)
        .with_width(width.max(40));
    let shown = Shown::new(problem, look);
    let mut out = String::new();
    match handler.render_report(&mut out, &shown) {
        Ok(()) => out,
        // A frame that cannot be drawn must not hide the problem.
        Err(fmt::Error) => format!("{}\n\n  {}\n", shown.code, shown.message),
    }
}

/// A problem as an object; lines and columns count from 1, columns in Unicode scalar values.
pub fn to_json(problem: &Problem) -> Value {
    let place = |span: Span| {
        problem.source.as_ref().map(|source| (source.line_column(span.start), source.line_column(span.end)))
    };
    let main = problem.labels.first().and_then(|label| place(label.span));
    let labels = problem.labels.iter().map(|label| {
        let (start, end) = place(label.span).unzip();
        json!({
            "text": label.text,
            "line": start.map(|(line, _)| line),
            "column": start.map(|(_, column)| column),
            "end-line": end.map(|(line, _)| line),
            "end-column": end.map(|(_, column)| column),
        })
    });
    json!({
        "code": problem.code,
        "message": problem.message,
        "causes": problem.causes,
        "file": problem.source.as_ref().map(Source::name),
        "line": main.map(|((line, _), _)| line),
        "column": main.map(|((_, column), _)| column),
        "labels": labels.collect::<Vec<_>>(),
        "help": problem.help,
    })
}

/// Bytes of a line that a frame still shows.
const MAX_LINE: usize = 400;

/// A problem in the form that the renderer asks for; all text is clean.
#[derive(Debug)]
struct Shown {
    code: &'static str,
    message: String,
    cause: Option<Box<Cause>>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
    source: Option<Text>,
}

/// A source that counts columns in Unicode scalar values, as all of our messages do.
#[derive(Debug)]
struct Text(Source);

impl SourceCode for Text {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.0.text().read_span(span, lines_before, lines_after)?;
        let (name, (line, column)) = (self.0.name().to_owned(), self.0.line_column(read.span().offset()));
        let count = read.line_count();
        Ok(Box::new(MietteSpanContents::new_named(name, read.data(), *read.span(), line - 1, column - 1, count)))
    }
}

#[derive(Debug)]
struct Cause {
    message: String,
    cause: Option<Box<Cause>>,
}

impl Shown {
    fn new(problem: &Problem, look: Look) -> Self {
        let framed = problem.source.as_ref().filter(|source| !has_long_lines(source, problem));
        let place =
            problem.source.as_ref().filter(|_| framed.is_none()).zip(problem.labels.first()).map(|(source, label)| {
                let (line, column) = source.line_column(label.span.start);
                format!("{}:{line}:{column}: {}", source.name(), label.text)
            });
        let cause =
            problem.causes.iter().chain(&place).rev().fold(None, |cause, message| {
                Some(Box::new(Cause { message: text::clean_lines(message, look), cause }))
            });
        let labels = problem.labels.iter().enumerate().filter_map(|(at, label)| {
            let span = within(framed?, label.span);
            let text =
                Some(text::clean(&label.text.replace('\n', " "), look).into_owned()).filter(|text| !text.is_empty());
            let span = SourceSpan::from((span.start, span.len()));
            let main = at == 0;
            Some(if main {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            })
        });
        let labels = labels.collect();
        let source =
            framed.map(|source| Text(Source::new(text::clean(source.name(), look), clean_in_place(source.text()))));
        let help = problem.help.as_ref().map(|help| text::clean_lines(help, look));
        Self { code: problem.code, message: text::clean_lines(&problem.message, look), cause, labels, help, source }
    }
}

/// Whether a frame around the labels would hold a line that fills the screen.
fn has_long_lines(source: &Source, problem: &Problem) -> bool {
    let long = |label: &Label| {
        let (line, _) = source.line_column(label.span.start);
        source.text().lines().skip(line.saturating_sub(2)).take(3).any(|line| line.len() > MAX_LINE)
    };
    problem.labels.iter().any(long)
}

/// The span, cut to the text and to whole characters.
fn within(source: &Source, span: Span) -> Span {
    let text = source.text();
    let start = floor(text, span.start);
    Span::new(start, floor(text, span.end).max(start))
}

fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Takes the same number of bytes as the text, so that spans still fit.
fn clean_in_place(text: &str) -> String {
    let harmless = |c: char| text::is_harmless(c) || c == '\n' || c == '\t';
    text.chars()
        .map(|c| match c {
            c if harmless(c) => c,
            '\r' => ' ',
            c => match c.len_utf8() {
                1 => '?',
                2 => '·',
                _ => '\u{fffd}',
            },
        })
        .collect()
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Shown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &dyn Error)
    }
}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().filter(|_| !self.labels.is_empty()).map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty())
            .then(|| Box::new(self.labels.iter().cloned()) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &dyn Error)
    }
}
