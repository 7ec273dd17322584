//! What a receipt says: <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Value, json};
use sluice_model::{Digest, Event, EventKind, Problem, StepId, Verdict, name};
use sluice_record::{Run, Verified};

pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// Ours, and not SLSA's provenance: that says that a build produced its subjects. A receipt also tells of runs that failed,
/// checked, deployed.
pub const PREDICATE: &str = "https://github.com/sluice-run/sluice/receipt/v1";

/// Media type of the record among the subjects, which it always is: a statement without one is not valid.
pub const RECORD: &str = "application/vnd.sluice.record";

/// The facts of one step, in the order in which steps began.
#[derive(Default)]
struct Step {
    plugin: Option<(String, Digest)>,
    attempts: u32,
    reused: bool,
    end: Value,
    allowed: u64,
    denied: Vec<String>,
}

#[derive(Default)]
struct Facts {
    head: Value,
    plan: Option<Digest>,
    started: u64,
    end: Value,
    subjects: Vec<Value>,
    steps: IndexMap<StepId, Step>,
}

fn sha256(digest: &Digest) -> Value {
    json!({ "sha256": digest.hex() })
}

/// The statement of a verified record.
pub fn make(run: &Run, verified: &Verified) -> Result<Value, Problem> {
    let unreadable = |error| Problem::from(&error);
    let mut facts = Facts::default();
    for event in run.events().map_err(unreadable)? {
        facts.on_event(event.map_err(unreadable)?);
    }
    let plan = run.plan().map_err(unreadable)?.unwrap_or_default();
    let plan: Value = serde_json::from_slice(&plan).map_err(|error| {
        Problem::new("host::record-damaged", format!("the plan of run `{}` cannot be read", run.id()))
            .cause(error.to_string())
    })?;
    let Facts { head, plan: digest, started, end, mut subjects, steps } = facts;
    subjects.push(json!({
        "name": format!("record of run {}", run.id()), "mediaType": RECORD, "digest": sha256(&verified.last),
    }));
    let plugins: BTreeMap<String, Value> = steps
        .values()
        .filter_map(|step| step.plugin.as_ref())
        .map(|(plugin, digest)| (format!("{plugin}@{digest}"), json!({ "uses": plugin, "digest": sha256(digest) })))
        .collect();
    let steps: Vec<Value> = steps.iter().map(|(id, step)| step.to_json(id, &plan)).collect();
    let mut predicate = json!({
        "run": run.id().as_str(),
        "madeBy": format!("sluice {}", env!("CARGO_PKG_VERSION")),
        "plan": digest.as_ref().map(sha256),
        "inputs": plan["inputs"],
        "record": { "digest": sha256(&verified.last), "events": verified.events, "files": verified.files },
        "startedMs": started,
        "plugins": plugins.into_values().collect::<Vec<_>>(),
        "steps": steps,
    });
    for more in [head, end] {
        if let (Some(predicate), Value::Object(more)) = (predicate.as_object_mut(), more) {
            predicate.extend(more);
        }
    }
    Ok(json!({ "_type": STATEMENT, "subject": subjects, "predicateType": PREDICATE, "predicate": predicate }))
}

impl Facts {
    fn on_event(&mut self, event: Event) {
        match event.kind {
            EventKind::RunStarted { workflow, file, plan, .. } => {
                self.head = json!({ "workflow": workflow, "file": file });
                (self.plan, self.started) = (Some(plan), event.at);
            }
            EventKind::RunFinished { outcome, .. } => {
                self.end = json!({ "outcome": outcome, "finishedMs": event.at });
            }
            EventKind::StepStarted { id, attempt, plugin, digest, .. } => {
                let step = self.steps.entry(id).or_default();
                (step.plugin, step.attempts) = (Some((plugin.to_string(), digest)), attempt);
            }
            EventKind::StepRetrying { id, attempt, .. } => self.steps.entry(id).or_default().attempts = attempt + 1,
            EventKind::StepReused { id, outcome, outputs, .. } => {
                let step = self.steps.entry(id).or_default();
                step.reused = true;
                step.end = json!({ "outcome": outcome, "outputs": outputs });
            }
            EventKind::StepFinished { id, outcome, outputs, .. } => {
                self.steps.entry(id).or_default().end = json!({ "outcome": outcome, "outputs": outputs });
            }
            EventKind::Decision { id, ruling, .. } => {
                let step = self.steps.entry(id).or_default();
                match ruling.verdict {
                    Verdict::Allowed => step.allowed += 1,
                    Verdict::Denied => step.denied.push(format!("{}: {}", ruling.capability, ruling.asked)),
                }
            }
            EventKind::Artifact { name, digest, media_type, .. } => {
                let subject = json!({ "name": name, "mediaType": media_type, "digest": sha256(&digest) });
                if !self.subjects.contains(&subject) {
                    self.subjects.push(subject);
                }
            }
            _ => {}
        }
    }
}

impl Step {
    fn to_json(&self, id: &StepId, plan: &Value) -> Value {
        let mut value = json!({
            "job": id.job,
            "step": id.step,
            "uses": self.plugin.as_ref().map(|(plugin, _)| plugin),
            "digest": self.plugin.as_ref().map(|(_, digest)| sha256(digest)),
            "attempts": self.attempts,
            "reused": self.reused,
            "grants": grants(plan, id),
            "decisions": { "allowed": self.allowed, "denied": self.denied },
        });
        if let (Some(value), Value::Object(end)) = (value.as_object_mut(), &self.end) {
            value.extend(end.clone());
        }
        value
    }
}

/// What the plan grants a step, or at most if that follows from what only the run knows.
fn grants<'p>(plan: &'p Value, id: &StepId) -> &'p Value {
    let of_job = |job: &str| ["jobs", "hooks"].iter().find_map(|kind| plan[kind].get(job));
    let job = of_job(&id.job).or_else(|| of_job(name::job_of(&id.job))).unwrap_or(&Value::Null);
    let cells = job["cells"].as_array().map(Vec::as_slice).unwrap_or_default();
    let cell = cells.iter().find(|cell| cell["name"] == id.job).or(cells.first());
    let steps = cell.map_or(&job["steps"], |cell| &cell["steps"]).as_array().map(Vec::as_slice).unwrap_or_default();
    let step = steps.iter().find(|step| step["id"] == name::step_of(&id.step)).unwrap_or(&Value::Null);
    let item = id.step.rsplit_once('[').and_then(|(_, rest)| rest.strip_suffix(']')?.parse::<usize>().ok());
    item.and_then(|item| step["items"].get(item)).map_or(&step["grants"], |item| &item["grants"])
}
