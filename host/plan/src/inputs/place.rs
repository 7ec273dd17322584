//! Where in the workflow a value of the inputs stands.

use sluice_model::Span;
use sluice_workflow::Template;
use sluice_workflow::template::TemplateValue;

/// The deepest place on the way to a value.
pub struct Place {
    /// `None` if the value does not stand in the workflow, such as a default.
    pub span: Option<Span>,
    /// The way in dots: `headers.accept`; `None` for the inputs as a whole.
    pub name: Option<String>,
}

impl Place {
    /// Follows a JSON pointer (RFC 6901) as far as the template goes.
    pub fn find(with: &Template, pointer: &str) -> Self {
        Self::walk(with, pointer).1
    }

    /// The same, for the first of some keys below the pointer.
    pub fn find_key(with: &Template, pointer: &str, names: &[String]) -> Self {
        let (at, place) = Self::walk(with, pointer);
        let span = names.iter().find_map(|name| key(at, name)).or(place.span);
        Self { span, ..place }
    }

    fn walk<'t>(with: &'t Template, pointer: &str) -> (&'t Template, Self) {
        let parts: Vec<String> =
            pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let mut at = with;
        let mut span = None;
        for part in &parts {
            let next = match &at.value {
                TemplateValue::Mapping(_) => at.get(part),
                TemplateValue::Sequence(items) => part.parse().ok().and_then(|index: usize| items.get(index)),
                // A literal may be a whole list or mapping, and an expression may give one.
                _ => break,
            };
            let Some(next) = next else { break };
            at = next;
            span = Some(at.span);
        }
        let name = parts.join(".");
        (at, Self { span, name: (!name.is_empty()).then_some(name) })
    }
}

/// Where the key of an input stands.
pub fn key(with: &Template, name: &str) -> Option<Span> {
    match &with.value {
        TemplateValue::Mapping(entries) => entries.iter().find(|(key, _, _)| key == name).map(|(_, span, _)| *span),
        _ => None,
    }
}
