//! Workflows in YAML, a runner that plays a script, and every event of the run as it would be recorded.

mod approval;
mod authority;
mod calls;
mod cases;
mod flags;
mod script;
mod services;
mod spread;
mod titles;

use std::num::NonZeroUsize;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::json;
use sluice_model::manifest::Declaration;
use sluice_model::{Digest, Event, Kind, Manifest, PluginRef, Problem, Source};
use sluice_plan::{Facts, Plan, PluginInfo, Plugins, SharedPolicies};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;
use script::Script;

/// Plugins without inputs to speak of, one of each kind that matters here, and `task`, whose grants follow from `url`.
fn plugins() -> Plugins {
    let plugin = |name: &str, kind: Kind| {
        let reference = PluginRef::Builtin(name.to_owned());
        let info = PluginInfo {
            reference: reference.clone(),
            digest: Digest::from_bytes([7; 32]),
            manifest: Some(Manifest {
                name: name.to_owned(),
                version: semver(),
                description: "Does it.".to_owned(),
                kinds: vec![kind],
                inputs: json!({
                    "type": "object",
                    "properties": {"url": {"type": "string"}, "level": {"type": "integer", "default": 1}},
                    "additionalProperties": false,
                }),
                outputs: json!({"type": "object"}),
                capabilities: vec![Declaration {
                    capability: sluice_model::grant::Capability::Http,
                    grants: vec!["POST ${{ with.url }}".to_owned()],
                    reason: "sends it".to_owned(),
                }],
            }),
            exports: vec![kind],
            command: false,
            imports: Vec::new(),
        };
        (reference, Ok(info))
    };
    Plugins::from([
        plugin("task", Kind::Task),
        plugin("lint", Kind::Lint),
        plugin("deploy", Kind::Deploy),
        plugin("notify", Kind::Notify),
        wait_for(plugin("wait-for", Kind::Task)),
    ])
}

/// The inputs that `ready` gives, and no grants.
fn wait_for((reference, info): (PluginRef, Result<PluginInfo, Problem>)) -> (PluginRef, Result<PluginInfo, Problem>) {
    let info = info.map(|mut info| {
        info.manifest = info.manifest.map(|manifest| Manifest {
            inputs: json!({"type": "object", "properties": {"exec": {}, "timeout": {}}, "additionalProperties": false}),
            capabilities: Vec::new(),
            ..manifest
        });
        info
    });
    (reference, info)
}

fn semver() -> semver::Version {
    semver::Version::new(1, 0, 0)
}

/// Plans a workflow that must be without problems.
fn plan(yaml: &str) -> Plan {
    let source = Source::new("test.yaml", yaml);
    let (workflow, problems) = sluice_workflow::parse(&source);
    assert_eq!(problems, []);
    let facts = Facts { run: json!({"id": "run-1"}), ..Facts::default() };
    sluice_plan::plan(&workflow.unwrap(), &plugins(), IndexMap::new(), facts, &SharedPolicies::default()).unwrap()
}

/// What a test looks at.
struct Ran {
    outcome: Outcome,
    parked: bool,
    events: Vec<Event>,
    script: Arc<Script>,
}

/// Plays a workflow with the clock standing still but for the time that steps sleep.
async fn play(yaml: &str, script: Script, dry_run: bool) -> Ran {
    play_again(yaml, script, dry_run, Reuse::default()).await
}

/// The same with results that stand.
async fn play_again(yaml: &str, script: Script, dry_run: bool, reuse: Reuse) -> Ran {
    play_plan(plan(yaml), script, dry_run, reuse).await
}

async fn play_plan(plan: Plan, script: Script, dry_run: bool, reuse: Reuse) -> Ran {
    let started = Instant::now();
    let clock = move || u64::try_from(started.elapsed().as_millis()).unwrap();
    let here = script.somebody;
    let options = Options {
        dry_run,
        reuse,
        started_by: Some("carol".to_owned()),
        ask: Arc::new(move |_| here),
        ..Options::new("run-1", NonZeroUsize::new(2).unwrap(), clock)
    };
    let (orders, control) = mpsc::channel(4);
    for (after, order) in script.orders.clone() {
        let orders = orders.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ = orders.send(order).await;
        });
    }
    drop(orders);
    let script = Arc::new(script);
    let mut events = Vec::new();
    let end = run(Arc::new(plan), script.clone(), options, control, |event| events.push(event.clone())).await;
    let outcome = match end {
        End::Finished(outcome) => {
            check(&events, outcome);
            outcome
        }
        End::Parked => Outcome::Unknown,
    };
    Ran { outcome, parked: end == End::Parked, events, script }
}

/// What holds for the events of any run: every step, once it has been spread, ends exactly once.
fn check(events: &[Event], outcome: Outcome) {
    assert!(events.iter().enumerate().all(|(at, event)| event.seq == at as u64));
    let (Some(EventKind::RunStarted { jobs, .. }) | Some(EventKind::RunResumed { jobs, .. })) =
        events.first().map(|event| &event.kind)
    else {
        panic!("no start")
    };
    let Some(EventKind::RunFinished { outcome: last, .. }) = events.last().map(|event| &event.kind) else {
        panic!("no end")
    };
    assert_eq!(*last, outcome);
    let ids = |jobs: &IndexMap<String, Vec<String>>| {
        jobs.iter().flat_map(|(job, steps)| steps.iter().map(move |step| StepId::new(job, step))).collect::<Vec<_>>()
    };
    let mut steps: std::collections::BTreeSet<StepId> = ids(jobs).into_iter().collect();
    for event in events {
        match &event.kind {
            EventKind::JobExpanded { job, cells } => {
                steps.retain(|id| id.job != *job);
                steps.extend(ids(cells));
            }
            EventKind::StepExpanded { id, items } => {
                steps.remove(id);
                steps.extend(items.iter().map(|item| StepId::new(&id.job, item)));
            }
            _ => {}
        }
    }
    let ended = events.iter().filter_map(|event| match &event.kind {
        EventKind::StepFinished { id, .. } | EventKind::StepReused { id, .. } => Some(id.clone()),
        _ => None,
    });
    let mut ended: Vec<StepId> = ended.collect();
    ended.sort();
    assert_eq!(ended, steps.into_iter().collect::<Vec<_>>());
}

impl Ran {
    /// One line an event, without what is the same in all tests.
    fn lines(&self) -> String {
        let line = |event: &Event| {
            let mut value = serde_json::to_value(event).unwrap();
            let fields = value.as_object_mut().unwrap();
            for name in ["seq", "digest", "plugin", "plan", "attempt", "run", "file", "workflow"] {
                fields.shift_remove(name);
            }
            let (at, kind) = (fields.shift_remove("at").unwrap(), fields.shift_remove("event").unwrap());
            if fields.get("findings").is_some_and(|counts| *counts == json!({"error": 0, "warning": 0, "info": 0})) {
                fields.shift_remove("findings");
            }
            format!("{at} {} {value}\n", kind.as_str().unwrap())
        };
        self.events.iter().map(line).collect()
    }
}
