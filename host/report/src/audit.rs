//! Decisions of the host: as a line while a run goes on, as a table of a recorded run.

use std::collections::HashMap;

use serde_json::{Value, json};
use sluice_model::{Digest, Event, EventKind, PluginRef, Ruling, StepId, Verdict};
use unicode_width::UnicodeWidthStr;

use crate::look::{DIM, GREEN, Look, RED};
use crate::text;

/// `allowed http: GET https://api.example.com/v1, by GET https://api.example.com/*`
pub fn line(ruling: &Ruling, look: Look) -> String {
    let clean = |part: &str| text::clean(part, look).into_owned();
    let because = match ruling.verdict {
        Verdict::Allowed => ", by ",
        Verdict::Denied => ": ",
    };
    let details: Vec<String> = ruling.details.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", clean(&details.join("; "))) };
    let (asked, rule) = (clean(&ruling.asked), clean(&ruling.rule));
    format!("{} {}: {asked}{details}{because}{rule}", verdict(ruling.verdict, look), ruling.capability)
}

fn verdict(verdict: Verdict, look: Look) -> String {
    let style = match verdict {
        Verdict::Allowed => GREEN,
        Verdict::Denied => RED,
    };
    look.paint(style, verdict.as_str())
}

/// Which decisions are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub only_denied: bool,
    /// `None` for all.
    pub steps: Option<Vec<StepId>>,
}

/// The decisions of one run, made from its events.
#[derive(Debug, Default)]
pub struct Audit {
    wanted: Wanted,
    started: u64,
    plugins: HashMap<StepId, (PluginRef, u32)>,
    rows: Vec<Row>,
    left_out: Vec<(StepId, u64)>,
}

#[derive(Debug)]
struct Row {
    at: u64,
    id: StepId,
    plugin: Option<PluginRef>,
    attempt: u32,
    digest: Digest,
    ruling: Ruling,
    times: u64,
}

impl Audit {
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, ..Self::default() }
    }

    pub fn on_event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted { .. } => self.started = event.at,
            EventKind::StepStarted { id, attempt, plugin, .. } => {
                self.plugins.insert(id.clone(), (plugin.clone(), *attempt));
            }
            EventKind::StepRetrying { id, attempt, .. } => {
                if let Some((_, known)) = self.plugins.get_mut(id) {
                    *known = attempt + 1;
                }
            }
            EventKind::Decision { id, digest, ruling } if self.wants(id, ruling.verdict) => {
                let (plugin, attempt) = match self.plugins.get(id) {
                    Some((plugin, attempt)) => (Some(plugin.clone()), *attempt),
                    None => (None, 1),
                };
                let (id, ruling) = (id.clone(), ruling.clone());
                self.rows.push(Row { at: event.at, id, plugin, attempt, digest: *digest, ruling, times: 1 });
            }
            EventKind::DecisionsCounted { id, repeated, left_out } => {
                for again in repeated {
                    let mut latest = self.rows.iter_mut().rev().filter(|row| row.id == *id);
                    if let Some(row) = latest.find(|row| row.ruling == again.ruling) {
                        row.times = again.times;
                    }
                }
                if *left_out > 0 && self.wanted.steps.as_ref().is_none_or(|steps| steps.contains(id)) {
                    self.left_out.push((id.clone(), *left_out));
                }
            }
            _ => {}
        }
    }

    fn wants(&self, id: &StepId, verdict: Verdict) -> bool {
        (!self.wanted.only_denied || verdict == Verdict::Denied)
            && self.wanted.steps.as_ref().is_none_or(|steps| steps.contains(id))
    }

    /// `{run, decisions: [{at, job, step, attempt, plugin, digest, capability, asked, verdict, rule, narrowest, details,
    /// times}], left-out: [{job, step, decisions}]}`
    pub fn to_json(&self, run: &str) -> Value {
        let decision = |row: &Row| {
            let Row { at, id, plugin, attempt, digest, ruling, times } = row;
            let mut value = serde_json::to_value(ruling).unwrap_or_default();
            if let Some(fields) = value.as_object_mut() {
                let (StepId { job, step }, plugin) = (id, plugin.as_ref().map(ToString::to_string));
                let place = json!({
                    "at": at, "job": job, "step": step, "attempt": attempt, "plugin": plugin, "digest": digest,
                    "times": times,
                });
                fields.extend(place.as_object().cloned().into_iter().flatten());
            }
            value
        };
        let left_out =
            |(id, decisions): &(StepId, u64)| json!({"job": id.job, "step": id.step, "decisions": decisions});
        json!({
            "run": run,
            "decisions": self.rows.iter().map(decision).collect::<Vec<_>>(),
            "left-out": self.left_out.iter().map(left_out).collect::<Vec<_>>(),
        })
    }

    /// A table; times count from the beginning of the run.
    pub fn to_text(&self, look: Look) -> String {
        let header = ["TIME", "STEP", "PLUGIN", "CAPABILITY", "VERDICT", "TIMES", "ASKED", "RULE"].map(str::to_owned);
        let clean = |part: &str| text::clean(part, look).into_owned();
        let cells = |row: &Row| {
            [
                text::duration(row.at.saturating_sub(self.started)),
                clean(&row.id.to_string()),
                row.digest.short().to_string(),
                row.ruling.capability.to_string(),
                row.ruling.verdict.as_str().to_owned(),
                row.times.to_string(),
                clean(&row.ruling.asked),
                clean(&row.ruling.rule),
            ]
        };
        let rows: Vec<[String; 8]> = self.rows.iter().map(cells).collect();
        let mut widths = header.each_ref().map(|cell| cell.width());
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let line = |cells: &[String; 8], paint: &dyn Fn(usize, &str) -> String| {
            let mut line = String::new();
            for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
                line.push_str(&paint(at, cell));
                line.push_str(&" ".repeat(width - cell.width() + 2));
            }
            format!("{}\n", line.trim_end())
        };
        let mut out = String::new();
        if !rows.is_empty() {
            out.push_str(&line(&header, &|_, cell| look.paint(DIM, cell)));
        }
        let indent = " ".repeat(widths[..6].iter().map(|width| width + 2).sum());
        for (row, cells) in self.rows.iter().zip(&rows) {
            let paint = |at: usize, cell: &str| match at {
                4 => verdict(row.ruling.verdict, look),
                _ => cell.to_owned(),
            };
            out.push_str(&line(cells, &paint));
            for (name, value) in &row.ruling.details {
                let detail = format!("{}: {}", clean(name), clean(value));
                out.push_str(&format!("{indent}{}\n", look.paint(DIM, detail)));
            }
        }
        for (id, number) in &self.left_out {
            let more = text::count(*number, "more decision");
            out.push_str(&format!("{}: {more} not on record: too many different ones\n", clean(&id.to_string())));
        }
        if out.is_empty() {
            out.push_str(if self.wanted.only_denied { "nothing was denied\n" } else { "nothing was decided\n" });
        }
        out
    }
}
