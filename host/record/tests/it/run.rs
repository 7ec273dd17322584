//! A small run to record.

use std::fs;
use std::path::Path;

use serde_json::json;
use sluice_model::event::{Change, ChangeAction, FindingCounts, Level, Stream};
use sluice_model::{Digest, Event, EventKind, Failure, FailureKind, Finding, Outcome, PluginRef, Severity, StepId};
use sluice_record::{Contents, Recorder, RunId};

/// The first event happens here: 2026-11-21 09:45:12.345 UTC.
pub const START: u64 = 1_795_254_312_345;

pub fn id(offset_seconds: u64) -> RunId {
    RunId::new(START + offset_seconds * 1000, 7)
}

/// One event of every kind.
pub fn events() -> Vec<Event> {
    let lint = StepId::new("lint", "yaml");
    let ship = StepId::new("ship", "folder");
    let digest = Digest::from_bytes([7; 32]);
    let finding = Finding {
        rule: "yaml/truthy".to_owned(),
        severity: Severity::Warning,
        message: "`yes` is a boolean".to_owned(),
        span: None,
        help: Some("write `true`".to_owned()),
        fix: None,
        properties: [("alias".to_owned(), "truthy".to_owned())].into(),
    };
    let jobs = [("lint".to_owned(), vec!["yaml".to_owned()]), ("ship".to_owned(), vec!["folder".to_owned()])];
    let kinds = [
        EventKind::RunStarted {
            run: id(0).to_string(),
            workflow: "ci".to_owned(),
            file: "workflows/ci.yaml".to_owned(),
            plan: digest,
            jobs: jobs.into(),
        },
        EventKind::JobStarted { job: "lint".to_owned(), name: None },
        EventKind::StepStarted {
            id: lint.clone(),
            name: "yaml files".to_owned(),
            attempt: 1,
            plugin: PluginRef::Builtin("lint".to_owned()),
            digest,
        },
        EventKind::Log {
            id: lint.clone(),
            stream: Stream::Stderr,
            level: Level::Info,
            text: "two\nlines, \"quotes\" and \u{1b}[31m".to_owned(),
        },
        EventKind::Progress { id: lint.clone(), done: 3, total: Some(4), message: "reading".to_owned() },
        EventKind::Findings { id: lint.clone(), findings: vec![finding] },
        EventKind::StepFinished {
            id: lint,
            outcome: Outcome::Passed,
            duration_ms: 120,
            outputs: [("files".to_owned(), json!({"n": 4, "ratio": 0.5, "big": u64::MAX}))].into(),
            findings: FindingCounts { error: 0, warning: 1, info: 0 },
            failure: None,
            reason: None,
            tainted: Vec::new(),
        },
        EventKind::JobFinished {
            job: "lint".to_owned(),
            outcome: Outcome::Passed,
            duration_ms: 121,
            outputs: Default::default(),
        },
        EventKind::Artifact {
            id: ship.clone(),
            name: "app.tar.gz".to_owned(),
            digest,
            media_type: "application/gzip".to_owned(),
            size: 1234,
        },
        EventKind::DeployPlanned {
            id: ship.clone(),
            changes: vec![Change { action: ChangeAction::Update, subject: "current".to_owned(), detail: None }],
        },
        EventKind::DeployApplied {
            id: ship.clone(),
            receipt: "00ff".to_owned(),
            inputs: serde_json::json!({"to": "public"}),
            grants: Default::default(),
        },
        EventKind::StepFinished {
            id: ship,
            outcome: Outcome::Failed,
            duration_ms: 30,
            outputs: Default::default(),
            findings: FindingCounts::default(),
            failure: Some(Failure::new(FailureKind::Denied, "no").cause("really not").help("ask")),
            reason: None,
            tainted: Vec::new(),
        },
        EventKind::Warning { message: "the cache is cold".to_owned() },
        EventKind::RunFinished { outcome: Outcome::Failed, duration_ms: 160 },
    ];
    kinds.into_iter().zip(0..).map(|(kind, seq)| Event { seq, at: START + seq * 10, kind }).collect()
}

/// Records `events` as a run below `root`.
pub fn record(root: &Path, id: RunId, events: &[Event]) {
    let contents = Contents {
        plan_json: b"{\"jobs\":{}}".to_vec(),
        workflow_text: "jobs: {}\n".to_owned(),
        origin_json: b"{}".to_vec(),
    };
    let mut recorder = Recorder::create(root, id, contents).unwrap();
    for event in events {
        recorder.append(event);
    }
    recorder.finish().unwrap();
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
