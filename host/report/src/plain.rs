//! A run in a log: one line after another, each with its job and step, no cursor, the same every time.

use std::io::{self, Write};

use sluice_model::event::{ChangeAction, SeenBy};
use sluice_model::{Event, EventKind, Outcome, StepId};

use crate::finding::Detail;
use crate::look::{CYAN, DIM, Look, YELLOW, level_style, outcome_style, outcome_words};
use crate::step::{self, Ending, StepLog, Steps};
use crate::summary::{End, Tally};
use crate::{Options, approval, audit, failure, finding, text};

/// Writes a run line by line.
pub struct Plain {
    options: Options,
    width: usize,
    tally: Tally,
    steps: Steps,
    decisions: bool,
}

impl Plain {
    /// `width` is that of failure blocks, in columns; lines of logs are never cut.
    pub fn new(options: Options, width: usize) -> Self {
        Self { options, width, tally: Tally::default(), steps: Steps::default(), decisions: false }
    }

    /// The same, with every decision of the host.
    #[must_use]
    pub fn with_decisions(self) -> Self {
        Self { decisions: true, ..self }
    }

    /// # Errors
    /// Those of `out`.
    pub fn on_event(&mut self, event: &Event, out: &mut dyn Write) -> io::Result<()> {
        self.tally.on_event(event);
        let look = self.options.look;
        match &event.kind {
            EventKind::RunStarted { run, workflow, file, .. } | EventKind::RunResumed { run, workflow, file, .. } => {
                out.write_all(step::title(workflow, file, run, look).as_bytes())?;
            }
            EventKind::JobStarted { job, name: Some(name) } => {
                let [job, name] = [job, name].map(|text| text::clean(text, look));
                writeln!(out, "{} {name}", look.paint(DIM.fg_color(CYAN.get_fg_color()), format_args!("[{job}]")))?;
            }
            EventKind::StepStarted { id, name, attempt, .. } => {
                let again = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
                writeln!(out, "{}started: {}{again}", prefix(id, look), text::clean(name, look))?;
            }
            EventKind::StepRetrying { id, attempt, failure, delay_ms } => {
                let line = step::retry_line(*attempt, failure, *delay_ms, look);
                writeln!(out, "{}{}", prefix(id, look), look.paint(YELLOW, text::clean(&line, look)))?;
            }
            EventKind::StepReused { id, outcome, .. } => {
                let words = look.paint(outcome_style(*outcome), outcome_words(*outcome));
                writeln!(out, "{}{words} before", prefix(id, look))?;
            }
            EventKind::StepReady { id, duration_ms } => {
                writeln!(out, "{}ready in {}", prefix(id, look), text::duration(*duration_ms))?;
            }
            // Logs are written as they come, not kept.
            EventKind::Log { id, level, text, .. } => {
                for line in text::lines(text) {
                    let line = look.paint(level_style(*level), text::clean(line, look));
                    writeln!(out, "{}{line}", prefix(id, look))?;
                }
                return Ok(());
            }
            EventKind::SecretSeen { id, secret, by: SeenBy::Plugin } => {
                let told = format!("the plugin sees the secret {}", text::clean(secret, look));
                writeln!(out, "{}{}", prefix(id, look), look.alarm(told))?;
            }
            EventKind::Artifact { id, name, digest, size, .. } => {
                let name = text::clean(name, look);
                writeln!(out, "{}artifact: {name}, {}, {digest}", prefix(id, look), text::size(*size))?;
            }
            EventKind::DeployPlanned { id, changes } => {
                for change in changes {
                    let action = match change.action {
                        ChangeAction::Create => "create",
                        ChangeAction::Update => "update",
                        ChangeAction::Delete => "delete",
                    };
                    writeln!(out, "{}{action}: {}", prefix(id, look), text::clean(&change.subject, look))?;
                }
            }
            EventKind::RunCancelled { by } => {
                writeln!(out, "{} {}", look.paint(YELLOW, "cancelled by"), text::clean_lines(by, look))?;
            }
            EventKind::ChecklistChecked { job, gates } => {
                out.write_all(approval::table(job, gates, look).as_bytes())?;
            }
            EventKind::ApprovalRequested(request) => out.write_all(approval::asked(request, look).as_bytes())?,
            EventKind::ApprovalGiven(decision) => out.write_all(approval::given(decision, look).as_bytes())?,
            EventKind::JobRefused { job, failure } => {
                out.write_all(failure::render_job(job, failure, &self.options, self.width).as_bytes())?;
            }
            EventKind::RunParked { duration_ms, .. } => {
                let end = End::Parked { duration_ms: *duration_ms };
                out.write_all(self.tally.render(end, look).as_bytes())?;
                out.write_all(self.tally.waiting(end, look).as_bytes())?;
                out.write_all(self.tally.pointers(self.options.record.as_deref(), "show", look).as_bytes())?;
            }
            EventKind::Decision { id, ruling, .. } if self.decisions => {
                writeln!(out, "{}{}", prefix(id, look), audit::line(ruling, look))?;
            }
            EventKind::Warning { message } => {
                writeln!(out, "{} {}", look.paint(YELLOW, "warning:"), text::clean_lines(message, look))?;
            }
            EventKind::RunFinished { outcome, duration_ms } => {
                let end = End::Ended { outcome: *outcome, duration_ms: *duration_ms };
                out.write_all(self.tally.render(end, look).as_bytes())?;
                out.write_all(self.tally.pointers(self.options.record.as_deref(), "show", look).as_bytes())?;
            }
            _ => {}
        }
        match self.steps.on_event(event) {
            Some((id, step, ending)) => self.finished(id, &step, &ending, out),
            None => Ok(()),
        }
    }

    fn finished(&self, id: &StepId, step: &StepLog, ending: &Ending, out: &mut dyn Write) -> io::Result<()> {
        let look = self.options.look;
        let prefix = prefix(id, look);
        let detail = match ending.outcome {
            Outcome::Passed | Outcome::Skipped => Detail::Lines,
            _ => Detail::Frames,
        };
        let findings = finding::render(&step.findings, detail, &prefix, &self.options, self.width);
        out.write_all(findings.as_bytes())?;
        let allowed = if ending.outcome == Outcome::AllowedToFail { ", which is allowed" } else { "" };
        let words = if allowed.is_empty() { outcome_words(ending.outcome) } else { "failed" };
        let words = look.paint(outcome_style(ending.outcome), words);
        let counts = Some(text::findings(ending.findings)).filter(|counts| !counts.is_empty());
        let counts = counts.map_or(String::new(), |counts| format!(", {counts}"));
        match ending.reason {
            Some(reason) => writeln!(out, "{prefix}{words}: {}", text::clean(reason, look))?,
            None => writeln!(out, "{prefix}{words} in {}{counts}{allowed}", text::duration(ending.duration_ms))?,
        }
        let block = step::block(step, ending, &self.options, self.width);
        if block.is_empty() { Ok(()) } else { writeln!(out, "{block}") }
    }
}

/// `[build/archive] `
pub fn prefix(id: &StepId, look: Look) -> String {
    format!(
        "{} ",
        look.paint(DIM.fg_color(CYAN.get_fg_color()), format_args!("[{}]", text::clean(&id.to_string(), look)))
    )
}
