//! What a run came to.

use indexmap::IndexMap;
use sluice_model::event::FindingCounts;
use sluice_model::{Event, EventKind, Outcome};

use crate::look::{BOLD, DIM, Look, outcome_style, outcome_words};
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
    pub jobs: IndexMap<String, JobTally>,
    pub steps: StepTally,
    findings: FindingCounts,
}

#[derive(Debug, Default)]
pub struct JobTally {
    planned: u64,
    failed: u64,
    ended: Option<(Outcome, u64)>,
}

#[derive(Debug, Default)]
pub struct StepTally {
    pub planned: u64,
    pub ended: u64,
    pub failed: u64,
    outcomes: IndexMap<&'static str, u64>,
}

impl Tally {
    pub fn on_event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted { run, workflow, jobs, .. } => {
                self.run.clone_from(run);
                self.workflow.clone_from(workflow);
                self.started = event.at;
                for (job, steps) in jobs {
                    let planned = steps.len() as u64;
                    self.steps.planned += planned;
                    self.jobs.insert(job.clone(), JobTally { planned, ..JobTally::default() });
                }
            }
            EventKind::StepFinished { id, outcome, findings, .. } => {
                self.steps.ended += 1;
                *self.steps.outcomes.entry(outcome_words(*outcome)).or_default() += 1;
                if *outcome == Outcome::Failed {
                    self.steps.failed += 1;
                    if let Some(job) = self.jobs.get_mut(&id.job) {
                        job.failed += 1;
                    }
                }
                self.findings.error += findings.error;
                self.findings.warning += findings.warning;
                self.findings.info += findings.info;
            }
            EventKind::JobFinished { job, outcome, duration_ms, .. } => {
                if let Some(job) = self.jobs.get_mut(job) {
                    job.ended = Some((*outcome, *duration_ms));
                }
            }
            _ => {}
        }
    }

    pub fn jobs_ended(&self) -> usize {
        self.jobs.values().filter(|job| job.ended.is_some()).count()
    }

    /// The width of the longest name of a job, within reason.
    pub fn job_width(&self) -> usize {
        self.jobs.keys().map(|job| job.chars().count()).max().unwrap_or(0).min(24)
    }

    /// Jobs, the verdict with its counts, and where to see more.
    pub fn render(&self, ended: Option<(Outcome, u64)>, record: Option<&str>, look: Look) -> String {
        let mut out = String::from("\n");
        let is_shown = |job: &JobTally| {
            self.jobs.len() <= MAX_JOBS || !matches!(job.ended, Some((Outcome::Passed | Outcome::Skipped, _)))
        };
        let mut hidden = 0;
        for (name, job) in &self.jobs {
            match is_shown(job) {
                true => out.push_str(&self.job_line(name, job, look)),
                false => hidden += 1,
            }
        }
        if hidden > 0 {
            let hidden = format!("{} passed or skipped", text::count(hidden, "more job"));
            out.push_str(&format!("  {}\n", look.paint(DIM, hidden)));
        }
        out.push_str(&format!("\n{}", self.verdict(ended, look)));
        if let Some(record) = record {
            let [record, run] = [record, &self.run].map(|text| text::clean(text, look));
            out.push_str(&format!("  {} {record}\n", look.paint(DIM, "record:")));
            out.push_str(&format!("  {}   sluice runs show {run}\n", look.paint(DIM, "more:")));
        }
        out
    }

    fn job_line(&self, name: &str, job: &JobTally, look: Look) -> String {
        let (outcome, duration) = job.ended.unwrap_or((Outcome::Unknown, 0));
        let width = self.job_width();
        let mut line = format!("  {} {:<width$}", look.mark(outcome), text::clean(name, look));
        if job.ended.is_some() && outcome != Outcome::Skipped {
            line.push_str(&format!("  {}", look.paint(DIM, text::duration(duration))));
        }
        let note = match (outcome, job.ended) {
            (_, None) => "did not end".to_owned(),
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

    fn verdict(&self, ended: Option<(Outcome, u64)>, look: Look) -> String {
        let (outcome, duration) = ended.unwrap_or((Outcome::Unknown, 0));
        let workflow = text::clean(&self.workflow, look);
        let words = match ended {
            Some(_) => format!("{workflow} {} in {}", outcome_words(outcome), text::duration(duration)),
            None => format!("{workflow} was interrupted"),
        };
        let steps = self.steps.outcomes.iter().enumerate().map(|(at, (words, number))| match at {
            0 => format!("{} {words}", text::count(*number, "step")),
            _ => format!("{number} {words}"),
        });
        let mut counts: Vec<String> = Vec::new();
        counts.extend(Some(steps.collect::<Vec<_>>().join(", ")).filter(|steps| !steps.is_empty()));
        counts.extend(Some(text::findings(self.findings)).filter(|findings| !findings.is_empty()));
        let counts = if counts.is_empty() { String::new() } else { format!("  {}", counts.join("; ")) };
        let style = outcome_style(outcome);
        let words = look.paint(style.effects(style.get_effects() | BOLD.get_effects()), words);
        format!("{} {words}{}\n", look.mark(outcome), look.paint(DIM, counts))
    }
}
