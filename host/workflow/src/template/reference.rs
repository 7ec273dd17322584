//! Which values an expression reads.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, LiteralValue, SourceInfo, operators};
use sluice_model::Span;

use super::functions;

/// A value that an expression reads: `steps.fetch.outputs.etag`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The root and the names below it, as far as they are written out: `["steps", "fetch", "outputs", "etag"]`.
    pub path: Vec<String>,
    pub span: Span,
    /// Asked for only if it is there: `has(a.b)`, `a.?b`.
    pub optional: bool,
}

impl Reference {
    pub(super) fn moved(&self, span: Span) -> Self {
        Self { span, ..self.clone() }
    }
}

pub struct Found {
    pub references: Vec<Reference>,
    pub calls: Vec<(String, Span)>,
    /// Globs of each `hash.files`, unless they are computed.
    pub file_hashes: Vec<(Option<Vec<String>>, Span)>,
    /// How deep loops are nested.
    pub loops: usize,
}

/// Finds references in source order; spans are relative to `text`.
pub fn find(expr: &IdedExpr, places: &SourceInfo, text: &str) -> Found {
    let mut finder = Finder {
        places,
        text,
        bound: Vec::new(),
        depth: 0,
        found: Found { references: Vec::new(), calls: Vec::new(), file_hashes: Vec::new(), loops: 0 },
    };
    finder.visit(expr);
    finder.found.references.sort_by_key(|reference| reference.span.start);
    finder.found.references.dedup();
    finder.found
}

struct Chain {
    path: Vec<String>,
    span: Span,
    optional: bool,
    /// An index that is not written out follows; what comes after it is not known.
    computed: bool,
}

impl Chain {
    fn then(mut self, name: &str, text: &str, optional: bool) -> Self {
        if self.computed {
            return self;
        }
        let rest = text.get(self.span.end..).unwrap_or_default();
        if let Some(at) = rest.find(name) {
            let end = at + name.len();
            let closes = ["\"]", "']"].iter().any(|close| rest[end..].starts_with(close));
            self.span.end += if closes { end + 2 } else { end };
        }
        self.path.push(name.to_owned());
        self.optional |= optional;
        self
    }
}

struct Finder<'e> {
    places: &'e SourceInfo,
    text: &'e str,
    /// Variables of the loops around.
    bound: Vec<&'e str>,
    depth: usize,
    found: Found,
}

impl<'e> Finder<'e> {
    fn visit(&mut self, node: &'e IdedExpr) {
        if let Some(Chain { path, span, optional, .. }) = self.chain(node) {
            if !self.bound.contains(&path[0].as_str()) && !path[0].starts_with('@') {
                self.found.references.push(Reference { path, span, optional });
            }
            return;
        }
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
            Expr::Call(call) => {
                if call.func_name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    let end = self.start(node).max(1);
                    let before = self.text.get(..end).unwrap_or_default().trim_end();
                    let start = before.strip_suffix(call.func_name.as_str()).map_or(end, str::len);
                    let span = Span::new(start, before.len().max(start));
                    if call.func_name == functions::FILES {
                        self.found.file_hashes.push((functions::literals(&call.args), span));
                    }
                    self.found.calls.push((call.func_name.clone(), span));
                }
                call.target.iter().for_each(|target| self.visit(target));
                call.args.iter().for_each(|argument| self.visit(argument));
            }
            Expr::Comprehension(comprehension) => {
                self.visit(&comprehension.iter_range);
                self.visit(&comprehension.accu_init);
                let before = self.bound.len();
                self.bound.push(&comprehension.iter_var);
                self.bound.push(&comprehension.accu_var);
                self.bound.extend(comprehension.iter_var2.as_deref());
                self.depth += 1;
                self.found.loops = self.found.loops.max(self.depth);
                self.visit(&comprehension.loop_cond);
                self.visit(&comprehension.loop_step);
                self.visit(&comprehension.result);
                self.depth -= 1;
                self.bound.truncate(before);
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Struct(value) => value.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Select(select) => self.visit(&select.operand),
        }
    }

    fn entry(&mut self, entry: &'e EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key);
                self.visit(&entry.value);
            }
        }
    }

    /// A chain of selections that begins with a name.
    fn chain(&mut self, node: &'e IdedExpr) -> Option<Chain> {
        match &node.expr {
            Expr::Ident(name) => {
                let start = self.start(node);
                Some(Chain {
                    path: vec![name.clone()],
                    span: Span::new(start, start + name.len()),
                    optional: false,
                    computed: false,
                })
            }
            Expr::Select(select) => Some(self.chain(&select.operand)?.then(&select.field, self.text, select.test)),
            Expr::Call(call) if call.target.is_none() && call.args.len() == 2 => {
                let optional = match call.func_name.as_str() {
                    operators::INDEX => false,
                    operators::OPT_SELECT | operators::OPT_INDEX => true,
                    _ => return None,
                };
                let chain = self.chain(&call.args[0])?;
                if let Expr::Literal(LiteralValue::String(name)) = &call.args[1].expr {
                    return Some(chain.then(name.inner(), self.text, optional));
                }
                self.visit(&call.args[1]);
                Some(Chain { computed: true, ..chain })
            }
            _ => None,
        }
    }

    fn start(&self, node: &IdedExpr) -> usize {
        let start = self.places.offset_for(node.id).map_or(0, |(start, _)| start as usize);
        if self.text.is_char_boundary(start) { start } else { 0 }
    }
}
