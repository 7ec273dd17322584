//! A runner that does what a test says.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use sluice_model::event::{Level, Stream};
use sluice_model::grant::Capability;
use sluice_model::{Finding, Repeated, Ruling, Told};

use super::*;
use crate::runner::{StepCall, StepEvents};

/// What a step does. Steps that are not named pass at once.
#[derive(Debug, Clone)]
pub enum Act {
    /// Sleeps, and notices when it is cancelled.
    Sleep(u64),
    /// Sleeps, and does not notice.
    Deaf(u64),
    Say(&'static str),
    /// Is allowed a request.
    Request(&'static str),
    Find(Vec<Finding>),
    Output(&'static str, Value),
    Fail(Failure),
    Panic,
}

#[derive(Debug, Default)]
pub struct Script {
    acts: BTreeMap<String, Vec<Act>>,
    /// Whether somebody is asked who may answer while the run goes on.
    pub somebody: bool,
    pub orders: Vec<(Duration, Control)>,
    /// Every call that was made.
    pub calls: Mutex<Vec<StepCall>>,
    /// The summary as the steps of the kind `notify` saw it.
    pub summaries: Mutex<Vec<Value>>,
    /// Ports that were asked for.
    pub ports: Mutex<Vec<Option<u16>>>,
    /// Ports on which something listens.
    taken: Vec<u16>,
}

impl Script {
    pub fn step(mut self, id: impl Into<String>, acts: impl Into<Vec<Act>>) -> Self {
        self.acts.insert(id.into(), acts.into());
        self
    }

    /// Somebody may answer while the run goes on.
    pub fn somebody(mut self) -> Self {
        self.somebody = true;
        self
    }

    pub fn taken(mut self, port: u16) -> Self {
        self.taken.push(port);
        self
    }

    pub fn order(mut self, after_ms: u64, order: Control) -> Self {
        self.orders.push((Duration::from_millis(after_ms), order));
        self
    }
}

impl StepRunner for Script {
    async fn run(&self, call: StepCall, says: StepEvents) -> StepReport {
        let acts = self.acts.get(call.id.step.as_str()).cloned().unwrap_or_default();
        let cancel = call.cancel.clone();
        if call.plugin == PluginRef::Builtin("notify".to_owned()) {
            self.summaries.lock().unwrap().push(call.summary.to_json());
        }
        self.calls.lock().unwrap().push(call);
        let mut report = StepReport { failure: None, outputs: IndexMap::new() };
        for act in acts {
            match act {
                Act::Sleep(ms) => tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(ms)) => {}
                    () = cancel.cancelled() => {
                        report.failure = Some(Failure::new(FailureKind::Cancelled, "it was cancelled"));
                        return report;
                    }
                },
                Act::Deaf(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Act::Say(text) => {
                    says.say(Said::Log { stream: Stream::Log, level: Level::Info, text: text.to_owned() });
                }
                Act::Request(url) => {
                    let ruling = Ruling::allowed(Capability::Http, url, url);
                    says.say(Said::Decided(Told::Ruling(ruling.clone())));
                    let repeated = vec![Repeated { times: 2, ruling }];
                    says.say(Said::Decided(Told::Counted { repeated, left_out: 0 }));
                }
                Act::Find(findings) => says.say(Said::Findings(findings)),
                Act::Output(name, value) => {
                    report.outputs.insert(name.to_owned(), value);
                }
                Act::Fail(failure) => report.failure = Some(failure),
                Act::Panic => panic!("on purpose"),
            }
        }
        report
    }

    fn port(&self, wanted: Option<u16>) -> Result<u16, String> {
        let mut ports = self.ports.lock().unwrap();
        ports.push(wanted);
        match wanted {
            Some(port) if self.taken.contains(&port) => Err(format!("something listens on port {port} already")),
            Some(port) => Ok(port),
            None => Ok(4000 + u16::try_from(ports.len()).unwrap()),
        }
    }
}
