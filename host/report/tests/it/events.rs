//! Runs to report.

use std::cell::Cell;

use serde_json::json;
use sluice_model::event::{Change, ChangeAction, FindingCounts, Level, Stream};
use sluice_model::finding::FileSpan;
use sluice_model::outcome::Place;
use sluice_model::{
    Digest, Event, EventKind, Failure, FailureKind, Finding, Outcome, PluginRef, Severity, Source, Span, StepId,
};

/// 2026-11-21 09:45:12 UTC, in milliseconds since the Unix epoch.
pub const START: u64 = 1_795_254_312_000;

/// Writes the events of a run with time and sequence.
#[derive(Default)]
pub struct Script {
    pub events: Vec<Event>,
    clock: Cell<u64>,
}

impl Script {
    pub fn start(jobs: &[(&str, &[&str])]) -> Self {
        let mut script = Self::default();
        let steps = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>();
        script.say(EventKind::RunStarted {
            run: "20261121-094512-7f3a".to_owned(),
            workflow: "nightly".to_owned(),
            file: "workflows/nightly.yaml".to_owned(),
            plan: digest(),
            jobs: jobs.iter().map(|(job, ids)| ((*job).to_owned(), steps(ids))).collect(),
        });
        script
    }

    pub fn say(&mut self, kind: EventKind) -> &mut Self {
        let seq = self.events.len() as u64;
        self.events.push(Event { seq, at: START + self.clock.get(), kind });
        self
    }

    /// Milliseconds pass.
    pub fn after(&mut self, ms: u64) -> &mut Self {
        self.clock.set(self.clock.get() + ms);
        self
    }

    pub fn job(&mut self, job: &str) -> &mut Self {
        self.say(EventKind::JobStarted { job: job.to_owned(), name: None })
    }

    pub fn step(&mut self, id: &str, name: &str) -> &mut Self {
        self.attempt(id, name, 1)
    }

    pub fn attempt(&mut self, id: &str, name: &str, attempt: u32) -> &mut Self {
        self.say(EventKind::StepStarted {
            id: step(id),
            name: name.to_owned(),
            attempt,
            plugin: PluginRef::Builtin("task".to_owned()),
            digest: digest(),
        })
    }

    pub fn log(&mut self, id: &str, level: Level, text: &str) -> &mut Self {
        self.say(EventKind::Log { id: step(id), stream: Stream::Stdout, level, text: text.to_owned() })
    }

    pub fn progress(&mut self, id: &str, done: u64, total: Option<u64>, message: &str) -> &mut Self {
        self.say(EventKind::Progress { id: step(id), done, total, message: message.to_owned() })
    }

    pub fn ended(&mut self, id: &str, outcome: Outcome, duration_ms: u64) -> &mut Self {
        self.finished(id, outcome, duration_ms, FindingCounts::default(), None, None)
    }

    pub fn failed(&mut self, id: &str, outcome: Outcome, duration_ms: u64, failure: Failure) -> &mut Self {
        self.finished(id, outcome, duration_ms, FindingCounts::default(), Some(failure), None)
    }

    pub fn skipped(&mut self, id: &str, reason: &str) -> &mut Self {
        self.finished(id, Outcome::Skipped, 0, FindingCounts::default(), None, Some(reason.to_owned()))
    }

    pub fn finished(
        &mut self,
        id: &str,
        outcome: Outcome,
        duration_ms: u64,
        findings: FindingCounts,
        failure: Option<Failure>,
        reason: Option<String>,
    ) -> &mut Self {
        let outputs = [("answer".to_owned(), json!(42))].into();
        let tainted = Vec::new();
        self.say(EventKind::StepFinished {
            id: step(id),
            outcome,
            duration_ms,
            outputs,
            findings,
            failure,
            reason,
            tainted,
        })
    }

    pub fn job_ended(&mut self, job: &str, outcome: Outcome, duration_ms: u64) -> &mut Self {
        self.say(EventKind::JobFinished { job: job.to_owned(), outcome, duration_ms, outputs: Default::default() })
    }

    pub fn end(&mut self, outcome: Outcome, duration_ms: u64) -> Vec<Event> {
        self.say(EventKind::RunFinished { outcome, duration_ms });
        std::mem::take(&mut self.events)
    }
}

pub fn step(id: &str) -> StepId {
    let (job, step) = id.split_once('/').unwrap();
    StepId::new(job, step)
}

pub fn digest() -> Digest {
    Digest::from_bytes([0xab; 32])
}

pub fn finding(severity: Severity, rule: &str, message: &str, path: &str, place: [u32; 4]) -> Finding {
    let [start_line, start_column, end_line, end_column] = place;
    let span = FileSpan { path: path.to_owned(), start_line, start_column, end_line, end_column };
    Finding {
        rule: rule.to_owned(),
        severity,
        message: message.to_owned(),
        span: Some(span),
        help: None,
        fix: None,
        properties: Default::default(),
    }
}

/// The text of the workflow that [`crate::options`] can read.
pub fn workflow() -> Source {
    Source::new("workflows/nightly.yaml", include_str!("files/nightly.yaml"))
}

/// Where `text` stands in the workflow.
pub fn place_of(text: &str) -> Span {
    let start = workflow().text().find(text).unwrap();
    Span::new(start, start + text.len())
}

/// What a step gets that asked for a host it was not granted.
pub fn denied() -> Failure {
    let failure = Failure::new(FailureKind::Denied, "plugin `http-get` returned an error: could not follow a redirect")
        .cause("the host denied GET https://cdn.example.net/orders.json")
        .help("if the step should reach that host too, add to its `grants`:\n    http: [\"GET https://cdn.example.net/*\"]");
    let place = Place::new(&workflow(), place_of("https://api.example.com/orders"), "grants only this origin");
    Failure { place: Some(place.into()), ..failure }
}

fn dockerfile_findings() -> Vec<Finding> {
    let mut add =
        finding(Severity::Warning, "dockerfile/add", "`ADD` does more than copy", "app/Dockerfile", [3, 1, 3, 4]);
    add.help = Some("write `COPY . /app`".to_owned());
    let mut pin = finding(
        Severity::Error,
        "dockerfile/pin-base-image",
        "base image `ubuntu` has no tag",
        "app/Dockerfile",
        [1, 6, 1, 12],
    );
    pin.properties.insert("alias".to_owned(), "DL3006".to_owned());
    pin.help = Some("pin a version:\n`ubuntu:24.04`".to_owned());
    let apt =
        finding(Severity::Info, "dockerfile/apt", "`apt-get install` without `-y`", "app/Dockerfile", [2, 6, 2, 21]);
    vec![add, pin, apt]
}

fn secret_findings() -> Vec<Finding> {
    let mut aws = finding(Severity::Error, "secret/aws-key", "AWS access key", "app/config.py", [2, 15, 2, 32]);
    aws.properties.insert("fingerprint".to_owned(), "0123".to_owned());
    let token = finding(Severity::Error, "secret/github", "GitHub token", "app/config.py", [2, 50, 2, 60]);
    vec![aws, token]
}

/// A run in which everything ends in its own way.
pub fn failing_run() -> Vec<Event> {
    let mut script = Script::start(&[
        ("lint", &["yaml", "docker"]),
        ("scan", &["secrets"]),
        ("fetch", &["fetch"]),
        ("build", &["archive", "tests"]),
        ("bench", &["speed"]),
        ("deploy", &["site", "tell"]),
        ("finally", &["clean"]),
    ]);
    script.job("lint").step("lint/yaml", "yaml files").job("scan").step("scan/secrets", "secrets");
    script.after(60).log("lint/yaml", Level::Info, "read 12 files");
    script.after(60).finished("lint/yaml", Outcome::Passed, 120, counts(0, 2), None, None);
    script.step("lint/docker", "dockerfiles").job("fetch").step("fetch/fetch", "fetch");
    script.say(EventKind::Findings { id: step("lint/docker"), findings: dockerfile_findings() });
    let failure = Failure::new(FailureKind::Findings, "1 error, 1 warning, 1 info; fails on error");
    let found = FindingCounts { error: 1, warning: 1, info: 1 };
    script.after(30).finished("lint/docker", Outcome::Failed, 30, found, Some(failure), None);
    script.job_ended("lint", Outcome::Failed, 150);
    script.say(EventKind::Findings { id: step("scan/secrets"), findings: secret_findings() });
    let failure = Failure::new(FailureKind::Findings, "2 errors; fails on warning or worse");
    script.after(200).finished("scan/secrets", Outcome::Failed, 350, counts(2, 0), Some(failure), None);
    script.job_ended("scan", Outcome::Failed, 350);
    script.log("fetch/fetch", Level::Info, "GET https://api.example.com/orders");
    script.attempt("fetch/fetch", "fetch", 2).log("fetch/fetch", Level::Warn, "redirected\nto cdn.example.net");
    script.after(900).failed("fetch/fetch", Outcome::Failed, 1100, denied()).job_ended("fetch", Outcome::Failed, 1100);
    script.job("build").step("build/archive", "pack the site");
    script.progress("build/archive", 2, Some(4), "packing");
    let (name, media_type) = ("site.tar.gz".to_owned(), "application/gzip".to_owned());
    script.say(EventKind::Artifact { id: step("build/archive"), name, digest: digest(), media_type, size: 1_234_567 });
    script.after(400).ended("build/archive", Outcome::Passed, 400).step("build/tests", "cargo test");
    script.after(61_000).failed(
        "build/tests",
        Outcome::Failed,
        61_000,
        Failure::new(FailureKind::TimedOut, "the step ran longer than its limit of 61s").help("raise `timeout`"),
    );
    script.job_ended("build", Outcome::Failed, 61_400).job("bench").step("bench/speed", "speed");
    let failure = Failure::new(FailureKind::Failed, "plugin `exec` returned an error: `just` is not there");
    script.after(10).failed("bench/speed", Outcome::AllowedToFail, 10, failure);
    script.job_ended("bench", Outcome::AllowedToFail, 10);
    script.skipped("deploy/site", "job `build` failed").skipped("deploy/tell", "job `build` failed");
    script.job_ended("deploy", Outcome::Skipped, 0);
    script.say(EventKind::Warning { message: "the cache could not be written".to_owned() });
    script.job("finally").step("finally/clean", "clean").after(5);
    let failure = Failure::new(FailureKind::Cancelled, "the run was cancelled");
    script.failed("finally/clean", Outcome::Cancelled, 5, failure).job_ended("finally", Outcome::Cancelled, 5);
    script.end(Outcome::Failed, 62_665)
}

/// A run in which all is well.
pub fn passing_run() -> Vec<Event> {
    let mut script = Script::start(&[("build", &["archive"]), ("ship", &["folder"])]);
    script.job("build").step("build/archive", "pack the site").log("build/archive", Level::Info, "4 files\n1 folder");
    script.after(210).ended("build/archive", Outcome::Passed, 210).job_ended("build", Outcome::Passed, 210);
    script.job("ship").step("ship/folder", "to the folder");
    let change = |action, subject: &str, detail: Option<&str>| Change {
        action,
        subject: subject.to_owned(),
        detail: detail.map(str::to_owned),
    };
    let changes = vec![
        change(ChangeAction::Create, "releases/42", None),
        change(ChangeAction::Update, "current", Some("41 -> 42")),
        change(ChangeAction::Delete, "releases/37", None),
    ];
    script.say(EventKind::DeployPlanned { id: step("ship/folder"), changes });
    script.say(EventKind::DeployApplied {
        id: step("ship/folder"),
        receipt: "00ff".to_owned(),
        inputs: serde_json::json!({"to": "public"}),
        grants: Default::default(),
    });
    script.after(40).ended("ship/folder", Outcome::Passed, 40).job_ended("ship", Outcome::Passed, 40);
    script.end(Outcome::Passed, 250)
}

fn counts(error: u64, warning: u64) -> FindingCounts {
    FindingCounts { error, warning, info: 0 }
}
