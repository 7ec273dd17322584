//! A run on a terminal: what runs moves at the bottom, what ended scrolls up.

use std::fmt::Display;

use anstyle::Style;
use sluice_model::{Event, EventKind, Outcome, StepId};
use unicode_width::UnicodeWidthStr;

use crate::look::{BOLD, CYAN, DIM, Look, PLAIN, RED, YELLOW};
use crate::step::{self, Progress, StepLog, Steps};
use crate::summary::{End, Tally};
use crate::{Options, approval, failure, text};

/// How long a spinner stands still, in milliseconds.
const SPIN: u64 = 80;

/// Columns of a progress bar.
const BAR: u64 = 16;

/// Names of steps are aligned up to this width.
const MAX_NAME: usize = 24;

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// The state of the screen. An event costs the same however many came before; a frame costs what runs now.
pub struct Live {
    options: Options,
    size: Size,
    tally: Tally,
    steps: Steps,
    scrollback: String,
    ended: bool,
}

impl Live {
    pub fn new(options: Options, size: Size) -> Self {
        let (tally, steps) = (Tally::default(), Steps::default());
        Self { options, size, tally, steps, scrollback: String::new(), ended: false }
    }

    /// The terminal has another size now.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
    }

    pub fn on_event(&mut self, event: &Event) {
        self.tally.on_event(event);
        let look = self.options.look;
        match &event.kind {
            EventKind::RunStarted { run, workflow, file, .. } | EventKind::RunResumed { run, workflow, file, .. } => {
                self.scrollback.push_str(&step::title(workflow, file, run, look));
                self.scrollback.push('\n');
            }
            EventKind::StepReused { id, name, outcome, .. } => {
                self.scrollback.push_str(&step::reused_line(id, name, *outcome, self.tally.job_width, look));
            }
            EventKind::StepRetrying { id, attempt, failure, delay_ms } => {
                let line = step::retry_line(*attempt, failure, *delay_ms, look);
                let [job, line] = [&id.job, &line].map(|text| text::clean(text, look));
                self.scrollback.push_str(&format!("{} {job}  {line}\n", look.paint(YELLOW, look.pick("↻", "~"))));
            }
            EventKind::StepReady { id, duration_ms } => {
                let name = self.steps.running.get(id).map_or(id.step.as_str(), |step| step.name.as_str());
                let line = step::ready_line(id, name, *duration_ms, self.tally.job_width, look);
                self.scrollback.push_str(&line);
            }
            EventKind::RunCancelled { by } => {
                let by = text::clean_lines(by, look);
                self.scrollback.push_str(&format!("{} {by}\n", look.paint(YELLOW, "! cancelled by")));
            }
            EventKind::ChecklistChecked { job, gates } => self.scrollback.push_str(&approval::table(job, gates, look)),
            EventKind::ApprovalRequested(request) => self.scrollback.push_str(&approval::asked(request, look)),
            EventKind::ApprovalGiven(decision) => self.scrollback.push_str(&approval::given(decision, look)),
            EventKind::JobRefused { job, failure } => {
                let block = failure::render_job(job, failure, &self.options, self.size.columns);
                self.scrollback.push_str(&block);
            }
            EventKind::RunParked { duration_ms, .. } => {
                let end = End::Parked { duration_ms: *duration_ms };
                self.scrollback.push_str(&self.tally.render(end, look));
                self.scrollback.push_str(&self.tally.waiting(end, look));
                self.scrollback.push_str(&self.tally.pointers(self.options.record.as_deref(), "show", look));
                self.ended = true;
            }
            EventKind::Warning { message } => {
                let message = text::clean_lines(message, look);
                self.scrollback.push_str(&format!("{} {message}\n", look.paint(YELLOW, "! warning:")));
            }
            EventKind::RunFinished { outcome, duration_ms } => {
                let end = End::Ended { outcome: *outcome, duration_ms: *duration_ms };
                self.scrollback.push_str(&self.tally.render(end, look));
                self.scrollback.push_str(&self.tally.pointers(self.options.record.as_deref(), "show", look));
                self.ended = true;
            }
            _ => {}
        }
        if let Some((id, step, ending)) = self.steps.on_event(event) {
            self.scrollback.push_str(&step::line(id, &step, &ending, self.tally.job_width, look));
            self.scrollback.push_str(&step::results(&step, look));
            if !matches!(ending.outcome, Outcome::Passed | Outcome::Skipped) {
                let details = step::details(id, &step, &ending, &self.tally.run, &self.options, self.size.columns);
                self.scrollback.push_str(&details);
                if !details.is_empty() {
                    self.scrollback.push('\n');
                }
            }
        }
    }

    /// Whole lines that have come since the last call; they go above the frame and never change again.
    pub fn take_scrollback(&mut self) -> String {
        std::mem::take(&mut self.scrollback)
    }

    /// The moving part: whole lines that fit the terminal, to be drawn over the lines of the frame before. Empty before
    /// the run and after it. `now` is in milliseconds since the Unix epoch.
    pub fn frame(&self, now: u64) -> String {
        if self.ended || self.tally.run.is_empty() {
            return String::new();
        }
        let mut out = String::new();
        // Two rows for the lines below, one for the cursor.
        let room = self.size.rows.saturating_sub(3).max(1);
        let shown = if self.steps.running.len() > room { room - 1 } else { room };
        let names = self.steps.running.values().take(shown).map(|step| step.name.width());
        let name_width = names.max().unwrap_or(0).min(MAX_NAME);
        for (id, step) in self.steps.running.iter().take(shown) {
            self.running(id, step, name_width, now, &mut out);
        }
        if let Some(more @ 1..) = self.steps.running.len().checked_sub(shown) {
            let mut line = Line::new(self.options.look, self.size.columns);
            line.add(DIM, format_args!("  and {} more", more));
            line.end(&mut out);
        }
        self.footer(now, &mut out);
        out
    }

    /// `⠹ build  archive  1.24s  ━━━━━━━━────────  120/240  packing`
    fn running(&self, id: &StepId, step: &StepLog, name_width: usize, now: u64, out: &mut String) {
        let look = self.options.look;
        let frames = look.pick("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\");
        let turn = (now / SPIN) as usize % frames.chars().count();
        let width = self.tally.job_width;
        let pad = " ".repeat(name_width.saturating_sub(step.name.width()));
        let mut line = Line::new(look, self.size.columns);
        line.add(CYAN, frames.chars().nth(turn).unwrap_or(' '));
        line.add(PLAIN, format_args!(" {:<width$}  {}{pad}  ", id.job, step.name));
        line.add(DIM, text::duration(now.saturating_sub(step.started)));
        if step.ready {
            line.add(DIM, "  in the background");
        }
        if step.attempt > 1 {
            line.add(YELLOW, format_args!("  attempt {}", step.attempt));
        }
        match &step.progress {
            Some(Progress { done, total, message }) => {
                if let Some(total) = total.filter(|total| *total > 0) {
                    let done = *done.min(&total);
                    let filled = (u128::from(done) * u128::from(BAR) / u128::from(total)) as u64;
                    let (full, empty) = (look.pick("━", "#"), look.pick("─", "."));
                    line.add(CYAN, format_args!("  {}", full.repeat(filled as usize)));
                    line.add(DIM, empty.repeat((BAR - filled) as usize));
                    line.add(PLAIN, format_args!("  {done}/{total}"));
                } else if *done > 0 {
                    line.add(PLAIN, format_args!("  {done}"));
                }
                line.add(DIM, format_args!("  {message:.300}"));
            }
            None => {
                if let Some((_, last)) = step.lines.back() {
                    line.add(DIM, format_args!("  {last:.300}"));
                }
            }
        }
        line.end(out);
    }

    /// `3/7 jobs · 12/31 steps · 1 failed · 4.21s`
    fn footer(&self, now: u64, out: &mut String) {
        let look = self.options.look;
        let dot = look.pick(" · ", " | ");
        let (jobs_ended, jobs) = self.tally.jobs();
        let mut line = Line::new(look, self.size.columns);
        line.add(BOLD, format_args!("  {jobs_ended}/{jobs} jobs"));
        line.add(DIM, format_args!("{dot}{}/{} steps", self.tally.steps.ended, self.tally.steps.planned));
        if self.tally.steps.failed() > 0 {
            line.add(RED, format_args!("{dot}{} failed", self.tally.steps.failed()));
        }
        line.add(DIM, format_args!("{dot}{}", text::duration(now.saturating_sub(self.tally.started))));
        line.end(out);
    }
}

/// One line of the frame, never wider than the terminal: a wrapped line would break the count of lines.
struct Line {
    look: Look,
    room: usize,
    text: String,
}

impl Line {
    fn new(look: Look, columns: usize) -> Self {
        // The last column stays free: terminals differ in when they wrap.
        Self { look, room: columns.saturating_sub(1), text: String::new() }
    }

    fn add(&mut self, style: Style, text: impl Display) {
        let text = text.to_string();
        let clean = text::clean(&text, self.look);
        let fit = text::fit(&clean, self.room, self.look);
        // What was cut ends the line.
        self.room = if fit != clean { 0 } else { self.room - fit.width() };
        self.text.push_str(&self.look.paint_after_space(style, &fit));
    }

    fn end(self, out: &mut String) {
        out.push_str(self.text.trim_end());
        out.push('\n');
    }
}
