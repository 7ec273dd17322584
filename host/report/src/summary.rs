//! What a run came to.

use indexmap::IndexMap;
use sluice_model::event::FindingCounts;
use sluice_model::{Event, EventKind, Outcome, name};

use crate::look::{DIM, Look, outcome_style, outcome_words};
use crate::text;

/// With more jobs than this, those that passed are only counted.
const MAX_JOBS: usize = 40;

/// Counts that every reporter needs, kept up event by event.
#[derive(Debug, Default)]
pub struct Tally {
    pub run: String,
    pub workflow: String,
    /// Milliseconds since the Unix epoch.
    pub started: u64,
    /// Of the column with the names of jobs.
    pub job_width: usize,
    jobs: IndexMap<String, JobTally>,
    jobs_ended: usize,
    pub steps: StepTally,
    findings: FindingCounts,
    /// Jobs that somebody was asked about, without an answer so far.
    asked: Vec<String>,
}

/// Whether and how a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Ended {
        outcome: Outcome,
        duration_ms: u64,
    },
    Running,
    Interrupted,
    /// Its jobs wait for an answer, and no process for that.
    Parked {
        duration_ms: u64,
    },
    Incomplete,
}

const OUTCOMES: [Outcome; 6] =
    [Outcome::Passed, Outcome::Failed, Outcome::AllowedToFail, Outcome::Skipped, Outcome::Cancelled, Outcome::Unknown];

/// Of the longest name, within reason.
fn width<'n>(names: impl Iterator<Item = &'n String>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0).min(24)
}

#[derive(Debug, Default)]
struct JobTally {
    planned: u64,
    failed: u64,
    started: bool,
    ended: Option<(Outcome, u64)>,
}

#[derive(Debug, Default)]
pub struct StepTally {
    pub planned: u64,
    pub ended: u64,
    /// In the order of [`OUTCOMES`].
    outcomes: [u64; 6],
}

impl StepTally {
    pub fn failed(&self) -> u64 {
        self.outcomes[1]
    }

    fn count(&mut self, outcome: Outcome) {
        self.ended += 1;
        for (known, number) in OUTCOMES.iter().zip(&mut self.outcomes) {
            *number += u64::from(*known == outcome);
        }
    }
}

impl Tally {
    pub fn on_event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted { run, workflow, jobs, .. } | EventKind::RunResumed { run, workflow, jobs, .. } => {
                *self = Self {
                    run: run.clone(),
                    workflow: workflow.clone(),
                    started: event.at,
                    job_width: width(jobs.keys()),
                    ..Self::default()
                };
                for (job, steps) in jobs {
                    let planned = steps.len() as u64;
                    self.steps.planned += planned;
                    self.jobs.insert(job.clone(), JobTally { planned, ..JobTally::default() });
                }
            }
            EventKind::JobExpanded { job, cells } => {
                let at = self.jobs.get_index_of(job).unwrap_or(self.jobs.len());
                let replaced = self.jobs.shift_remove(job).map_or(0, |job| job.planned);
                self.steps.planned = self.steps.planned.saturating_sub(replaced);
                for (number, (cell, steps)) in cells.iter().enumerate() {
                    let planned = steps.len() as u64;
                    self.steps.planned += planned;
                    let tally = JobTally { planned, ..JobTally::default() };
                    self.jobs.shift_insert((at + number).min(self.jobs.len()), cell.clone(), tally);
                }
                self.job_width = width(self.jobs.keys());
            }
            EventKind::StepExpanded { id, items } => {
                let change = |planned: u64| (planned + items.len() as u64).saturating_sub(1);
                self.steps.planned = change(self.steps.planned);
                if let Some(job) = self.jobs.get_mut(&id.job) {
                    job.planned = change(job.planned);
                }
            }
            EventKind::JobStarted { job, .. } => {
                if let Some(job) = self.jobs.get_mut(job) {
                    job.started = true;
                }
            }
            EventKind::StepFinished { id, outcome, findings, .. }
            | EventKind::StepReused { id, outcome, findings, .. } => {
                self.steps.count(*outcome);
                if let Some(job) = self.jobs.get_mut(&id.job) {
                    job.failed += u64::from(*outcome == Outcome::Failed);
                }
                self.findings.error += findings.error;
                self.findings.warning += findings.warning;
                self.findings.info += findings.info;
            }
            EventKind::ApprovalRequested(request) => self.asked.push(request.job.clone()),
            EventKind::ApprovalGiven(decision) => self.asked.retain(|job| *job != decision.job),
            EventKind::JobFinished { job, outcome, duration_ms, .. } => {
                if let Some(job) = self.jobs.get_mut(job) {
                    job.ended = Some((*outcome, *duration_ms));
                }
                self.jobs_ended += 1;
            }
            _ => {}
        }
    }

    /// How many jobs have ended, and how many there are.
    pub fn jobs(&self) -> (usize, usize) {
        (self.jobs_ended, self.jobs.len())
    }

    /// Jobs and their verdicts, then that of the run with its counts.
    pub fn render(&self, end: End, look: Look) -> String {
        let mut out = String::from("\n");
        let is_shown = |job: &JobTally| {
            self.jobs.len() <= MAX_JOBS || !matches!(job.ended, Some((Outcome::Passed | Outcome::Skipped, _)))
        };
        for (name, job) in self.jobs.iter().filter(|(_, job)| is_shown(job)) {
            out.push_str(&self.job_line(name, job, end, look));
        }
        let hidden = self.jobs.values().filter(|job| !is_shown(job)).count();
        if hidden > 0 {
            let hidden = format!("{} passed or skipped", text::count(hidden as u64, "more job"));
            out.push_str(&format!("  {}\n", look.paint(DIM, hidden)));
        }
        out.push_str(&format!("\n{}", self.verdict(end, look)));
        out
    }

    /// How a run that waits for an answer is answered. Empty for any other.
    pub fn waiting(&self, end: End, look: Look) -> String {
        if !matches!(end, End::Parked { .. }) || self.asked.is_empty() {
            return String::new();
        }
        let run = text::clean(&self.run, look).into_owned();
        let line = |name: &str, options: &str| format!("  {} sluice approve {run}{options}\n", look.paint(DIM, name));
        let mut out = String::new();
        for job in &self.asked {
            let job = match self.asked.len() {
                1 => String::new(),
                _ => format!(" --job {}", text::clean(job, look)),
            };
            out.push_str(&line("approve:", &job));
            out.push_str(&line("deny:   ", &format!("{job} --deny")));
        }
        out
    }

    /// Where the record is, and the command that looks into it.
    pub fn pointers(&self, record: Option<&str>, command: &str, look: Look) -> String {
        let Some(record) = record else { return String::new() };
        let [record, run] = [record, &self.run].map(|text| text::clean(text, look));
        let [first, second] = ["record:", "more:  "].map(|name| look.paint(DIM, name));
        format!("  {first} {record}\n  {second} sluice runs {command} {run}\n")
    }

    fn job_line(&self, name: &str, job: &JobTally, end: End, look: Look) -> String {
        let (outcome, duration) = job.ended.unwrap_or((Outcome::Unknown, 0));
        let width = self.job_width;
        let mut line = format!("  {} {:<width$}", look.mark(outcome), text::clean(name, look));
        if job.ended.is_some() && outcome != Outcome::Skipped {
            line.push_str(&format!("  {}", look.paint(DIM, format_args!("{:>6}", text::duration(duration)))));
        }
        let note = match (outcome, job.ended) {
            (_, None) if self.asked.iter().any(|asked| name::is_of_job(asked, name)) => "waits for approval".to_owned(),
            (_, None) => match (end, job.started) {
                (End::Running, true) => "running".to_owned(),
                (End::Running, false) => "waiting".to_owned(),
                (_, true) => "did not end".to_owned(),
                (_, false) => "did not start".to_owned(),
            },
            (Outcome::Passed, _) => String::new(),
            (Outcome::Failed | Outcome::AllowedToFail, _) if job.planned > 1 && job.failed > 0 => {
                format!("{} of {} steps failed", job.failed, job.planned)
            }
            (outcome, _) => outcome_words(outcome).to_owned(),
        };
        if !note.is_empty() {
            line.push_str(&format!("  {}", look.paint(outcome_style(outcome), note)));
        }
        line.push('\n');
        line
    }

    fn verdict(&self, end: End, look: Look) -> String {
        let workflow = text::clean(&self.workflow, look);
        let (outcome, words) = match end {
            End::Ended { outcome, duration_ms } => {
                (outcome, format!("{workflow} {} in {}", outcome_words(outcome), text::duration(duration_ms)))
            }
            End::Running => (Outcome::Unknown, format!("{workflow} is running")),
            End::Interrupted => (Outcome::Unknown, format!("{workflow} was interrupted")),
            End::Parked { .. } if self.asked.is_empty() => {
                (Outcome::Unknown, format!("{workflow} has its answer; go on with `sluice resume`"))
            }
            End::Parked { duration_ms } => {
                (Outcome::Unknown, format!("{workflow} waits for approval after {}", text::duration(duration_ms)))
            }
            End::Incomplete => (
                Outcome::Unknown,
                format!("{workflow} went on, but its record is incomplete: nobody knows how it ended"),
            ),
        };
        let steps = OUTCOMES.iter().zip(self.steps.outcomes).filter(|(_, number)| *number > 0).enumerate();
        let steps = steps.map(|(at, (outcome, number))| match at {
            0 => format!("{} {}", text::count(number, "step"), outcome_words(*outcome)),
            _ => format!("{number} {}", outcome_words(*outcome)),
        });
        let counts = [steps.collect::<Vec<_>>().join(", "), text::findings(self.findings)];
        let counts = counts.into_iter().filter(|counts| !counts.is_empty()).collect::<Vec<_>>().join("; ");
        let style = outcome_style(outcome);
        let words = look.paint(style.bold(), words);
        let counts = if counts.is_empty() { counts } else { format!("  {}", look.paint(DIM, counts)) };
        format!("{} {words}{counts}\n", look.mark(outcome))
    }
}
