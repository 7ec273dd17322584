//! From bytes to findings.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};
use sha2::{Digest, Sha256};
use sluice_sdk::{Finding, Severity};

use crate::allow::{self, Allowed};
use crate::assignment::{self, Assignment};
use crate::entropy::shannon;
use crate::file::File;
use crate::place::Places;
use crate::placeholder;
use crate::rule::{Find, Rule, Verdict};
use crate::rules;

/// All rules that are on, ready to search.
pub struct Scanner {
    /// Finds every keyword of every rule, in any case, in one pass.
    keywords: AhoCorasick,
    /// For each keyword, its text and the rules that begin with it.
    uses: Vec<(&'static [u8], Vec<usize>)>,
    rules: Vec<(&'static Rule, OnceCell<Regex>)>,
    allowed: Allowed,
}

/// A secret and the rule that found it.
#[derive(Debug)]
struct Match {
    rule: usize,
    range: Range<usize>,
    severity: Severity,
    remark: Option<&'static str>,
}

impl Scanner {
    /// All rules except those named in `disable`, without what `allow` allows ([`Allowed::new`]). Fails with one message
    /// for each entry that makes no sense.
    pub fn new(disable: &[String], allow: &[String]) -> Result<Self, Vec<String>> {
        let unknown = disable.iter().filter(|id| !rules::all().any(|rule| rule.id == **id));
        let mut problems: Vec<_> =
            unknown.map(|id| format!("`{id}` in `disable` is not a rule of this plugin")).collect();
        let allowed = Allowed::new(allow).unwrap_or_else(|more| {
            problems.extend(more);
            Allowed::default()
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        let rules: Vec<_> = rules::all()
            .filter(|rule| !disable.iter().any(|id| id == rule.id))
            .map(|rule| (rule, OnceCell::new()))
            .collect();
        let mut uses: Vec<(&'static [u8], Vec<usize>)> = Vec::new();
        for (index, (rule, _)) in rules.iter().enumerate() {
            for keyword in rule.keywords {
                match uses.iter_mut().find(|(text, _)| *text == keyword.as_bytes()) {
                    Some((_, users)) => users.push(index),
                    None => uses.push((keyword.as_bytes(), vec![index])),
                }
            }
        }
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(uses.iter().map(|(text, _)| text))
            .map_err(|error| vec![format!("the keywords of the rules cannot be searched: {error}")])?;
        Ok(Self { keywords, uses, rules, allowed })
    }

    /// The findings in one file, in the order of their places. `path` is for the findings and tells the kind of file.
    pub fn scan(&self, path: &str, bytes: &[u8]) -> Vec<Finding> {
        let file = File::new(path, bytes);
        let mut matches = Vec::new();
        for hit in self.keywords.find_overlapping_iter(bytes) {
            let (keyword, users) = &self.uses[hit.pattern().as_usize()];
            let mut assignment = OnceCell::new();
            for &rule in users {
                self.find(&file, keyword, hit.range(), rule, &mut assignment, &mut matches);
            }
        }
        self.report(&file, resolve(matches, &self.rules))
    }

    fn find(
        &self,
        file: &File,
        keyword: &[u8],
        hit: Range<usize>,
        index: usize,
        assigned: &mut OnceCell<Option<Assignment>>,
        matches: &mut Vec<Match>,
    ) {
        let (rule, _) = &self.rules[index];
        let bytes = file.bytes;
        let exact = || bytes[hit.clone()] == *keyword;
        // The secret, and what of it is not known beforehand.
        let found = match rule.find {
            Find::After(pattern) => {
                if !exact() || !boundary_before(bytes, hit.start) {
                    return;
                }
                let window = &bytes[hit.end..bytes.len().min(hit.end + rule.reach)];
                let pattern = self.pattern(index, || format!("^(?:{pattern})"));
                pattern.captures(window).and_then(|groups| {
                    let whole = hit.end..hit.end + groups.get(0)?.end();
                    let body =
                        groups.get(1).map_or(whole.clone(), |group| hit.end + group.start()..hit.end + group.end());
                    let secret = if groups.len() > 1 { body.clone() } else { hit.start..whole.end };
                    boundary_after(bytes, whole.end).then_some((secret, body))
                })
            }
            Find::Around(back, pattern) => {
                if !exact() {
                    return;
                }
                let start = hit.start.saturating_sub(back);
                let window = &bytes[start..bytes.len().min(hit.end + rule.reach)];
                let pattern = self.pattern(index, || pattern.to_owned());
                pattern
                    .find_iter(window)
                    .map(|found| start + found.start()..start + found.end())
                    .find(|range| range.start <= hit.start && range.end >= hit.end)
                    .filter(|range| boundary_before(bytes, range.start) && boundary_after(bytes, range.end))
                    .map(|range| (range.clone(), range))
            }
            Find::Assigned(pattern) => {
                let assignment = assigned.get_or_init(|| assignment::find(file, hit));
                let Some(assignment) = assignment else { return };
                let pattern = self.pattern(index, || format!("^(?:{pattern})$"));
                let value = assignment.value.clone();
                pattern.is_match(&bytes[value.clone()]).then_some((value.clone(), value))
            }
            Find::Code(find) => find(file, hit).map(|range| (range.clone(), range)),
        };
        let Some((range, body)) = found else { return };
        let body = &bytes[body];
        if shannon(body) < rule.min_entropy || !rule.generic && body.len() < 1024 && placeholder::strong(body) {
            return;
        }
        let (severity, remark) = match rule.check.map_or(Verdict::Verified, |check| check(&bytes[range.clone()])) {
            Verdict::Verified => (rule.severity, None),
            Verdict::Doubtful(remark) => (Severity::Warning, Some(remark)),
            Verdict::Broken(remark) => (Severity::Info, Some(remark)),
            Verdict::No => return,
        };
        // A test needs values that look real; only a format says that one is.
        let (severity, remark) =
            if rule.generic && file.test { (Severity::Info, Some("it stands in a test")) } else { (severity, remark) };
        matches.push(Match { rule: index, range, severity, remark });
    }

    /// The pattern of a rule, compiled when first needed: most files need none.
    fn pattern(&self, rule: usize, text: impl FnOnce() -> String) -> &Regex {
        self.rules[rule].1.get_or_init(|| {
            RegexBuilder::new(&text()).unicode(false).build().expect("a test compiles the pattern of every rule")
        })
    }

    fn report(&self, file: &File, matches: Vec<Match>) -> Vec<Finding> {
        let mut places = Places::new(file.bytes);
        let mut findings = Vec::new();
        for Match { rule, range, severity, remark } in matches {
            let rule = self.rules[rule].0;
            let secret = &file.bytes[range.clone()];
            let fingerprint = fingerprint(rule.id, file.path, secret);
            let allowed = self.allowed.secret(secret)
                || self.allowed.fingerprint(&fingerprint)
                || allow::by_comment(file.bytes, range.start, range.end);
            if allowed {
                continue;
            }
            let finding = Finding::new(severity, rule.id, message(rule, file, &range, remark))
                .at(places.span(file.path, &range))
                .help(HELP)
                .property("fingerprint", fingerprint);
            findings.push(finding);
        }
        findings
    }
}

const HELP: &str = "revoke it and keep its successor out of the repository; if it is harmless, end the line with the \
                    comment `sluice-scan:allow`";

/// Names the rule and at most the keyword, which is the same for all secrets of the rule; never a byte of the secret.
fn message(rule: &Rule, file: &File, range: &Range<usize>, remark: Option<&str>) -> String {
    let article = if b"aeiouAEIOU".contains(&rule.what.as_bytes()[0]) { "an" } else { "a" };
    let secret = &file.bytes[range.clone()];
    let prefix = match rule.find {
        Find::After(_) => rule
            .keywords
            .iter()
            .filter(|keyword| secret.starts_with(keyword.as_bytes()))
            .max_by_key(|keyword| keyword.len()),
        _ => None,
    };
    let shown = prefix.map_or(String::new(), |prefix| format!(" (`{prefix}…`)"));
    let remark = remark.map_or(String::new(), |remark| format!(", but {remark}"));
    format!("this is {article} {}{shown}{remark}", rule.what)
}

/// The same for the same secret in the same file, wherever in the file it stands: 128 bits of SHA-256 over rule, path and
/// secret, each with its length. It does not tell the secret, but whoever has a guess can check it.
fn fingerprint(rule: &str, path: &str, secret: &[u8]) -> String {
    let mut hash = Sha256::new_with_prefix(b"sluice-scan fingerprint 1");
    for part in [rule.as_bytes(), path.as_bytes(), secret] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One match a place, in order: special rules before generic ones, then in the order of the table.
fn resolve(mut matches: Vec<Match>, rules: &[(&Rule, OnceCell<Regex>)]) -> Vec<Match> {
    matches.sort_by_key(|found| (rules[found.rule].0.generic, found.rule, found.range.start));
    // By begin; they do not overlap, so that the last one that begins before an end is the only one that can reach there.
    let mut kept: BTreeMap<usize, Match> = BTreeMap::new();
    for found in matches {
        let before = kept.range(..found.range.end).next_back();
        if before.is_none_or(|(_, other)| other.range.end <= found.range.start) {
            kept.insert(found.range.start, found);
        }
    }
    kept.into_values().collect()
}

/// Whether a token can begin here: not within a word, except behind `\n` and its like and behind `%3D` and its like.
fn boundary_before(bytes: &[u8], at: usize) -> bool {
    let (before, token) = bytes.split_at(at);
    if !token.first().is_some_and(u8::is_ascii_alphanumeric) {
        return true;
    }
    match before {
        [.., last] if !last.is_ascii_alphanumeric() && *last != b'_' => true,
        [] | [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    }
}

fn boundary_after(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
}
