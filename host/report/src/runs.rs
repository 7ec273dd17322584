//! Recorded runs: a list, one whole, its logs.

use indexmap::IndexMap;
use sluice_model::event::{FindingCounts, Level};
use sluice_model::{Event, EventKind, Outcome, StepId};
use unicode_width::UnicodeWidthStr;

use crate::finding::Detail;
use crate::look::{DIM, Look, MAGENTA, YELLOW, level_style, outcome_style};
use crate::plain::prefix;
use crate::step::{self, Steps};
use crate::summary::{End, Tally};
use crate::{Options, approval, failure, finding, text};

/// One line of the list of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub workflow: String,
    pub state: RowState,
    /// Milliseconds since the Unix epoch.
    pub started: u64,
    pub duration_ms: u64,
    pub steps_passed: u64,
    pub steps_planned: u64,
    pub findings: FindingCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowState {
    Finished(Outcome),
    Running,
    Interrupted,
    WaitsForApproval,
    /// It went on when its events could no longer be recorded.
    Incomplete,
}

/// A table of runs, in the order given. `now` is in milliseconds since the Unix epoch.
pub fn list(rows: &[Row], now: u64, look: Look) -> String {
    let header = ["RUN", "WORKFLOW", "RESULT", "STARTED", "TOOK", "PASSED", "FINDINGS"].map(str::to_owned);
    let cells: Vec<[String; 7]> = rows
        .iter()
        .map(|row| {
            let result = match row.state {
                RowState::Finished(outcome) => outcome.as_str(),
                RowState::Running => "running",
                RowState::Interrupted => "interrupted",
                RowState::WaitsForApproval => "waits for approval",
                RowState::Incomplete => "incomplete",
            };
            [
                text::clean(&row.id, look).into_owned(),
                text::clean(&row.workflow, look).into_owned(),
                result.to_owned(),
                text::ago(now.saturating_sub(row.started)),
                text::duration(row.duration_ms),
                format!("{}/{}", row.steps_passed, row.steps_planned),
                text::findings(row.findings),
            ]
        })
        .collect();
    let mut widths = header.each_ref().map(|cell| cell.width());
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let line = |cells: &[String; 7], paint: &dyn Fn(usize, &str) -> String| {
        let mut line = String::new();
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            line.push_str(&paint(at, cell));
            line.push_str(&" ".repeat(width - cell.width() + 2));
        }
        format!("{}\n", line.trim_end())
    };
    let mut out = line(&header, &|_, cell| look.paint(DIM, cell));
    for (row, cells) in rows.iter().zip(&cells) {
        let style = match row.state {
            RowState::Finished(outcome) => outcome_style(outcome),
            RowState::Running | RowState::Interrupted | RowState::Incomplete => MAGENTA,
            RowState::WaitsForApproval => YELLOW,
        };
        out.push_str(&line(cells, &|at, cell| if at == 2 { look.paint(style, cell) } else { cell.to_owned() }));
    }
    for row in rows.iter().filter(|row| row.state == RowState::WaitsForApproval) {
        let id = text::clean(&row.id, look);
        out.push_str(&format!("\n{} sluice approve {id}\n", look.paint(DIM, "approve:")));
    }
    out
}

/// A record that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub id: String,
    pub workflow: String,
    /// Milliseconds since the Unix epoch.
    pub started: u64,
    pub bytes: u64,
}

/// What was removed, or would be, and the room that it took; `artifacts` is their number and their bytes.
pub fn removed(runs: &[Removed], artifacts: (u64, u64), pretend: bool, now: u64, look: Look) -> String {
    let word = if pretend { "would remove" } else { "removed" };
    let mut out = String::new();
    for run in runs {
        let [id, workflow] = [&run.id, &run.workflow].map(|text| text::clean(text, look));
        let ago = text::ago(now.saturating_sub(run.started));
        out.push_str(&format!("{word} {id}  {workflow}  {ago}  {}\n", text::size(run.bytes)));
    }
    let bytes = runs.iter().map(|run| run.bytes).sum::<u64>() + artifacts.1;
    let what = format!("{}, {}", text::count(runs.len() as u64, "run"), text::count(artifacts.0, "artifact"));
    out.push_str(&format!("{word} {what}: {}\n", text::size(bytes)));
    out
}

/// One run, whole, by jobs in the order of the workflow: made from its events. `width` is in columns.
pub struct Show {
    options: Options,
    width: usize,
    tally: Tally,
    steps: Steps,
    title: String,
    jobs: IndexMap<String, String>,
    warnings: String,
    ended: Option<End>,
}

impl Show {
    pub fn new(options: Options, width: usize) -> Self {
        Self {
            options,
            width,
            tally: Tally::default(),
            steps: Steps::default(),
            title: String::new(),
            jobs: IndexMap::new(),
            warnings: String::new(),
            ended: None,
        }
    }

    pub fn on_event(&mut self, event: &Event) {
        let look = self.options.look;
        self.tally.on_event(event);
        match &event.kind {
            EventKind::RunStarted { run, workflow, file, jobs, .. }
            | EventKind::RunResumed { run, workflow, file, jobs, .. } => {
                self.title = step::title(workflow, file, run, look);
                self.jobs = jobs.keys().map(|job| (job.clone(), String::new())).collect();
                self.steps = Steps::default();
                self.ended = None;
            }
            EventKind::JobExpanded { job, cells } => {
                let at = self.jobs.get_index_of(job).unwrap_or(self.jobs.len());
                self.jobs.shift_remove(job);
                for (number, cell) in cells.keys().enumerate() {
                    self.jobs.shift_insert((at + number).min(self.jobs.len()), cell.clone(), String::new());
                }
            }
            EventKind::JobStarted { job, name: Some(name) } => {
                let [title, name] = [job, name].map(|text| text::clean(text, look));
                self.jobs.entry(job.clone()).or_default().push_str(&format!("  {title}: {name}\n"));
            }
            EventKind::StepReused { id, name, outcome, .. } => {
                let line = step::reused_line(id, name, *outcome, self.tally.job_width, look);
                self.jobs.entry(id.job.clone()).or_default().push_str(&line);
            }
            EventKind::StepRetrying { id, attempt, failure, delay_ms } => {
                let line = step::retry_line(*attempt, failure, *delay_ms, look);
                let line = look.paint(YELLOW, text::clean(&line, look));
                self.jobs.entry(id.job.clone()).or_default().push_str(&format!("  {}  {line}\n", id.step));
            }
            EventKind::RunCancelled { by } => {
                let by = text::clean_lines(by, look);
                self.warnings.push_str(&format!("{} {by}\n", look.paint(YELLOW, "cancelled by")));
            }
            EventKind::Warning { message } => {
                self.warnings.push_str(&format!(
                    "{} {}\n",
                    look.paint(YELLOW, "warning:"),
                    text::clean_lines(message, look)
                ));
            }
            EventKind::ChecklistChecked { job, gates } => {
                self.jobs.entry(job.clone()).or_default().push_str(&approval::table(job, gates, look));
            }
            EventKind::ApprovalRequested(request) => {
                self.jobs.entry(request.job.clone()).or_default().push_str(&approval::asked(request, look));
            }
            EventKind::ApprovalGiven(decision) => {
                self.jobs.entry(decision.job.clone()).or_default().push_str(&approval::given(decision, look));
            }
            EventKind::JobRefused { job, failure } => {
                let block = failure::render_job(job, failure, &self.options, self.width);
                self.jobs.entry(job.clone()).or_default().push_str(&block);
            }
            EventKind::RunParked { duration_ms, .. } => self.ended = Some(End::Parked { duration_ms: *duration_ms }),
            EventKind::RunFinished { outcome, duration_ms } => {
                self.ended = Some(End::Ended { outcome: *outcome, duration_ms: *duration_ms });
            }
            _ => {}
        }
        if let Some((id, step, ending)) = self.steps.on_event(event) {
            let out = self.jobs.entry(id.job.clone()).or_default();
            out.push_str(&step::line(id, &step, &ending, self.tally.job_width, look));
            out.push_str(&step::results(&step, look));
            match ending.outcome {
                Outcome::Passed | Outcome::Skipped => {
                    out.push_str(&finding::render(&step.findings, Detail::Lines, "  ", &self.options, self.width));
                }
                _ => {
                    let run = &self.tally.run;
                    let details = step::details(id, &step, &ending, run, &self.options, self.width);
                    out.push_str(&details);
                    if !details.is_empty() {
                        out.push('\n');
                    }
                }
            }
        }
    }

    /// `state` says why there may be no end among the events.
    pub fn finish(self, state: RowState) -> String {
        let look = self.options.look;
        let alive = state == RowState::Running;
        let mut out = format!("{}\n", self.title);
        out.extend(self.jobs.into_values());
        for (id, step) in &self.steps.running {
            let words = if alive { "running" } else { "started, and nobody knows how it ended" };
            let [job, name] = [&id.job, &step.name].map(|text| text::clean(text, look));
            let words = look.paint(MAGENTA, words);
            let width = self.tally.job_width;
            out.push_str(&format!("{} {job:<width$}  {name}  {words}\n", look.mark(Outcome::Unknown)));
        }
        out.push_str(&self.warnings);
        let end = match (self.ended, state) {
            // It has been parked, and somebody goes on with it now.
            (Some(End::Parked { .. }) | None, RowState::Running) => End::Running,
            (Some(End::Parked { .. }) | None, RowState::Incomplete) => End::Incomplete,
            (Some(end), _) => end,
            (None, _) => End::Interrupted,
        };
        out.push_str(&self.tally.render(end, look));
        out.push_str(&self.tally.waiting(end, look));
        out.push_str(&self.tally.pointers(self.options.record.as_deref(), "logs", look));
        out
    }
}

/// The lines of one log entry, each after `[job/step]` if `named`.
pub fn log(id: &StepId, level: Level, text: &str, named: bool, look: Look) -> String {
    let prefix = if named { prefix(id, look) } else { String::new() };
    text::lines(text)
        .map(|line| format!("{prefix}{}\n", look.paint(level_style(level), text::clean(line, look))))
        .collect()
}
