//! What the steps that run have said so far.

use std::collections::VecDeque;

use indexmap::IndexMap;
use sluice_model::event::{Change, ChangeAction, FindingCounts, Level, SeenBy};
use sluice_model::{Event, EventKind, Failure, FailureKind, Finding, Outcome, StepId};

use crate::finding::Detail;
use crate::look::{BOLD, CYAN, DIM, GREEN, Look, RED, YELLOW, level_style, outcome_style, outcome_words};
use crate::{Options, failure, finding, text};

/// So many log lines of a step are kept for its failure, the last ones; the record has all.
const MAX_LINES: usize = 1000;

/// So many planned changes of a step are shown.
const MAX_CHANGES: usize = 20;

/// One step, as far as it has come.
#[derive(Debug, Default)]
pub struct StepLog {
    pub name: String,
    pub attempt: u32,
    /// Milliseconds since the Unix epoch.
    pub started: u64,
    pub lines: VecDeque<(Level, String)>,
    /// Lines that came before the first of `lines`.
    pub dropped: u64,
    pub findings: Vec<Finding>,
    pub changes: Vec<Change>,
    artifacts: Vec<(String, u64, String)>,
    /// Names of the secrets whose values the plugin itself got.
    revealed: Vec<String>,
    pub progress: Option<Progress>,
    /// Whether it has become ready, in the background.
    pub ready: bool,
}

#[derive(Debug, Clone)]
pub struct Progress {
    pub done: u64,
    pub total: Option<u64>,
    pub message: String,
}

/// How a step ended.
pub struct Ending<'a> {
    pub outcome: Outcome,
    pub duration_ms: u64,
    pub findings: FindingCounts,
    pub failure: Option<&'a Failure>,
    pub reason: Option<&'a str>,
}

/// The steps that run now, in the order in which they started.
#[derive(Debug, Default)]
pub struct Steps {
    pub running: IndexMap<StepId, StepLog>,
}

impl Steps {
    /// Takes in an event; gives the step back when it has ended.
    pub fn on_event<'a>(&mut self, event: &'a Event) -> Option<(&'a StepId, StepLog, Ending<'a>)> {
        match &event.kind {
            EventKind::StepStarted { id, name, attempt, .. } => {
                let step = self.running.entry(id.clone()).or_default();
                // What an attempt found counts only if it is the last.
                step.findings.clear();
                step.name.clone_from(name);
                step.attempt = *attempt;
                step.started = event.at;
                step.progress = None;
            }
            EventKind::StepReady { id, .. } => {
                if let Some(step) = self.running.get_mut(id) {
                    step.ready = true;
                }
            }
            EventKind::Log { id, level, text, .. } => {
                if let Some(step) = self.running.get_mut(id) {
                    step.log(*level, text);
                }
            }
            EventKind::Progress { id, done, total, message } => {
                if let Some(step) = self.running.get_mut(id) {
                    step.progress = Some(Progress { done: *done, total: *total, message: message.clone() });
                }
            }
            EventKind::Findings { id, findings } => {
                if let Some(step) = self.running.get_mut(id) {
                    step.findings.extend_from_slice(findings);
                }
            }
            EventKind::Artifact { id, name, digest, size, .. } => {
                if let Some(step) = self.running.get_mut(id) {
                    step.artifacts.push((name.clone(), *size, digest.short()));
                }
            }
            EventKind::SecretSeen { id, secret, by: SeenBy::Plugin } => {
                if let Some(step) = self.running.get_mut(id) {
                    step.revealed.push(secret.clone());
                }
            }
            EventKind::DeployPlanned { id, changes } => {
                if let Some(step) = self.running.get_mut(id) {
                    step.changes.clone_from(changes);
                }
            }
            EventKind::StepFinished { id, outcome, duration_ms, findings, failure, reason, .. } => {
                // A step that is skipped never started.
                let unnamed = || StepLog { name: id.step.clone(), ..StepLog::default() };
                let step = self.running.shift_remove(id).unwrap_or_else(unnamed);
                let (failure, reason) = (failure.as_ref(), reason.as_deref());
                let ending =
                    Ending { outcome: *outcome, duration_ms: *duration_ms, findings: *findings, failure, reason };
                return Some((id, step, ending));
            }
            _ => {}
        }
        None
    }
}

impl StepLog {
    fn log(&mut self, level: Level, text: &str) {
        for line in text::lines(text) {
            if self.lines.len() == MAX_LINES {
                self.lines.pop_front();
                self.dropped += 1;
            }
            self.lines.push_back((level, line.to_owned()));
        }
    }

    /// How many lines it said.
    fn said(&self) -> u64 {
        self.dropped + self.lines.len() as u64
    }
}

/// `✔ lint  yaml and dockerfiles  2 warnings  0.12s`. Jobs are padded to `job_width` columns.
pub fn line(id: &StepId, step: &StepLog, ending: &Ending, job_width: usize, look: Look) -> String {
    let job = text::clean(&id.job, look);
    let mut out = format!("{} {job:<job_width$}  {}", look.mark(ending.outcome), text::clean(&step.name, look));
    for note in notes(step, ending, look) {
        out.push_str("  ");
        out.push_str(&note);
    }
    if ending.outcome != Outcome::Skipped {
        out.push_str("  ");
        out.push_str(&look.paint(DIM, text::duration(ending.duration_ms)));
    }
    out.push('\n');
    out
}

fn notes(step: &StepLog, ending: &Ending, look: Look) -> Vec<String> {
    let style = outcome_style(ending.outcome);
    let counts = text::findings(ending.findings);
    let mut notes = Vec::new();
    if !step.revealed.is_empty() {
        let names = step.revealed.join(", ");
        notes.push(look.paint(RED, format_args!("saw the secret {}", text::clean(&names, look))));
    }
    match ending.outcome {
        Outcome::Passed => {
            if !counts.is_empty() {
                notes.push(look.paint(YELLOW, &counts));
            }
            if !step.changes.is_empty() {
                notes.push(text::count(step.changes.len() as u64, "change"));
            }
            if step.said() > 0 {
                notes.push(look.paint(DIM, format_args!("({})", text::count(step.said(), "line"))));
            }
        }
        Outcome::Skipped => {
            let reason = ending.reason.map(|reason| format!(": {}", text::clean(reason, look)));
            notes.push(look.paint(style, format_args!("skipped{}", reason.unwrap_or_default())));
        }
        outcome => {
            let failure = ending.failure.filter(|failure| failure.kind == FailureKind::Findings);
            if let Some(failure) = failure {
                notes.push(look.paint(style, text::clean(&failure.message, look)));
            }
            if outcome != Outcome::Failed {
                notes.push(look.paint(style, outcome_words(outcome)));
            }
        }
    }
    notes
}

/// What a step left behind: artifacts and planned changes, a line each.
pub fn results(step: &StepLog, look: Look) -> String {
    let mut out = String::new();
    for (name, size, digest) in &step.artifacts {
        let name = text::clean(name, look);
        let rest = look.paint(DIM, format_args!("{}  {digest}", text::size(*size)));
        out.push_str(&format!("  {} {name}  {rest}\n", look.paint(DIM, look.pick('→', '>'))));
    }
    for change in step.changes.iter().take(MAX_CHANGES) {
        out.push_str(&format!("  {}\n", change_line(change, look)));
    }
    if let Some(more @ 1..) = step.changes.len().checked_sub(MAX_CHANGES) {
        out.push_str(&look.paint(DIM, format_args!("  and {}\n", text::count(more as u64, "more change"))));
    }
    out
}

/// `+ releases/42`
pub fn change_line(change: &Change, look: Look) -> String {
    let (sign, style) = match change.action {
        ChangeAction::Create => ('+', GREEN),
        ChangeAction::Update => ('~', YELLOW),
        ChangeAction::Delete => ('-', RED),
    };
    let detail = change.detail.as_ref().map(|detail| format!("  {}", look.paint(DIM, text::clean(detail, look))));
    format!("{} {}{}", look.paint(style, sign), text::clean(&change.subject, look), detail.unwrap_or_default())
}

/// Everything about a step that did not pass: log, findings, failure. Empty if there is nothing to say.
pub fn details(id: &StepId, step: &StepLog, ending: &Ending, run: &str, options: &Options, width: usize) -> String {
    let look = options.look;
    let mut out = String::new();
    let bar = look.paint(DIM, look.pick('│', '|'));
    if step.dropped > 0 {
        let more = format!("{} before: sluice runs logs {run} --step {id}", text::count(step.dropped, "line"));
        out.push_str(&format!("  {bar} {}\n", look.paint(DIM, text::clean(&more, look))));
    }
    for (level, line) in &step.lines {
        out.push_str(&format!("  {bar} {}\n", look.paint(level_style(*level), text::clean(line, look))));
    }
    if !step.findings.is_empty() {
        out.push('\n');
        out.push_str(&finding::render(&step.findings, Detail::Frames, "", options, width));
    }
    out.push_str(&block(step, ending, options, width));
    out
}

/// The failure in the look of problems, with an empty line before it. Findings speak for themselves.
pub fn block(step: &StepLog, ending: &Ending, options: &Options, width: usize) -> String {
    match ending.failure {
        None => String::new(),
        Some(_) if ending.outcome == Outcome::Cancelled => String::new(),
        Some(failure) if failure.kind == FailureKind::Findings => match &failure.help {
            None => String::new(),
            Some(help) => {
                let help = text::clean_lines(help, options.look).replace('\n', "\n        ");
                format!("\n  {} {help}\n", options.look.paint(CYAN, "help:"))
            }
        },
        Some(failure) => format!("\n{}", failure::render(step, ending.outcome, failure, options, width)),
    }
}

/// `attempt 1 failed: the server said 503; the next in 2.00s`
pub fn retry_line(attempt: u32, failure: &Failure, delay_ms: u64, look: Look) -> String {
    let message = text::clean(&failure.message, look);
    format!("attempt {attempt} failed: {message}; the next in {}", text::duration(delay_ms))
}

/// `● test  db  ready in 0.41s`
pub fn ready_line(id: &StepId, name: &str, duration_ms: u64, width: usize, look: Look) -> String {
    let [job, name] = [&id.job, name].map(|text| text::clean(text, look));
    let words = look.paint(DIM, format_args!("ready in {}", text::duration(duration_ms)));
    format!("{} {job:<width$}  {name}  {words}\n", look.paint(CYAN, look.pick('●', '*')))
}

/// `✔ build  archive  passed before`
pub fn reused_line(id: &StepId, name: &str, outcome: Outcome, width: usize, look: Look) -> String {
    let [job, name] = [&id.job, name].map(|text| text::clean(text, look));
    let words = look.paint(DIM, format_args!("{} before", outcome_words(outcome)));
    format!("{} {job:<width$}  {name}  {words}\n", look.mark(outcome))
}

/// `ci  workflows/ci.yaml  20261121-094512-7f3a`
pub fn title(workflow: &str, file: &str, run: &str, look: Look) -> String {
    let [workflow, file, run] = [workflow, file, run].map(|text| text::clean(text, look));
    format!("{}  {}\n", look.paint(BOLD, workflow), look.paint(DIM, format_args!("{file}  {run}")))
}
