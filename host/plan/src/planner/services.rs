//! Steps in the background, and ports of services that only the run knows: a step that reads them is planned with numbers
//! that stand for them, so that all else is checked and shown before anything runs.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use sluice_model::{Grants, Kind, Problem};
use sluice_workflow::background::Port;
use sluice_workflow::template::Expression;
use sluice_workflow::{background, workflow};

use super::Planner;
use crate::codes;
use crate::plan::{Background, Ready, Step, When};
use crate::scope::Scope;

/// The services of a job that have a port.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// What `services` is in expressions.
    pub value: Value,
    /// Names of the services whose ports are open, with the number that stands for each.
    standins: IndexMap<String, u16>,
    /// Whether variables of the job read one, and with them every step.
    pub everywhere: bool,
}

impl Ports {
    /// No stand-in stands in `text`, so that it is known again wherever it goes.
    pub fn new(job: &workflow::Job, text: &str) -> Self {
        let mut free = (1024..=u16::MAX).rev().filter(|port| !text.contains(&port.to_string()));
        let (mut value, mut standins) = (Map::new(), IndexMap::new());
        for background in job.steps.iter().filter_map(|step| step.background.as_ref()) {
            let name = &background.name.value;
            let port = match background.port {
                None => continue,
                Some(Port::Fixed(port)) => port,
                Some(Port::Auto) => {
                    let port = free.next().unwrap_or_default();
                    standins.insert(name.clone(), port);
                    port
                }
            };
            value.insert(name.clone(), json!({"port": port}));
        }
        let mut ports = Self { value: Value::Object(value), standins, everywhere: false };
        let env: Vec<_> = job.env.values().flat_map(|template| template.expressions()).collect();
        ports.everywhere = ports.are_read_by(&env);
        ports
    }

    /// Whether one of the expressions reads a port that is open.
    pub fn are_read_by(&self, expressions: &[&Expression]) -> bool {
        let references = expressions.iter().flat_map(|expression| &expression.references);
        let mut paths = references.map(|reference| reference.path.as_slice());
        paths.any(|path| match path {
            [root, name, ..] if root == "services" => self.standins.contains_key(name),
            [root] if root == "services" => !self.standins.is_empty(),
            _ => false,
        })
    }

    /// Whether expressions of the step, or of the job if there is none, see a number that stands for a port: themselves, or
    /// by way of a variable.
    pub fn show_in(&self, step: Option<&workflow::Step>, expressions: &[&Expression]) -> bool {
        let own = step.into_iter().flat_map(|step| step.env.values()).flat_map(|template| template.expressions());
        let variables = self.everywhere || self.are_read_by(&own.collect::<Vec<_>>());
        let reads_variables = || expressions.iter().any(|expression| expression.roots().contains("env"));
        self.are_read_by(expressions) || (variables && reads_variables())
    }

    fn are_read_by_step(&self, step: &workflow::Step) -> bool {
        let templates = step.env.values().chain([&step.with]).chain(&step.for_each);
        self.everywhere || self.are_read_by(&templates.flat_map(|template| template.expressions()).collect::<Vec<_>>())
    }

    /// The text with expressions where numbers stood for ports.
    fn open(&self, text: &str) -> String {
        self.standins.iter().fold(text.to_owned(), |text, (name, port)| {
            let name = if name.contains('-') { format!("[\"{name}\"]") } else { format!(".{name}") };
            text.replace(&port.to_string(), &format!("${{{{ services{name}.port }}}}"))
        })
    }
}

impl<'w> Planner<'w> {
    /// Takes back what was decided with stand-ins for ports, if the step reads any. `first` is the first problem that the
    /// step caused.
    pub(super) fn open_ports(&mut self, step: &workflow::Step, planned: &mut Step, ports: &Ports, first: usize) {
        if !ports.are_read_by_step(step) {
            return;
        }
        planned.decided = None;
        if let Some(for_each) = &mut planned.for_each {
            for_each.items = None;
        }
        let mut closed = Grants::default();
        for grant in planned.at_most.iter() {
            let spelling = grant.to_string();
            let open = ports.open(&spelling);
            if open == spelling {
                closed.add(grant);
            } else {
                planned.at_services.push(format!("{}: {open}", grant.capability()));
            }
        }
        planned.at_most = closed;
        for problem in self.problems.iter_mut().skip(first) {
            problem.message = ports.open(&problem.message);
            problem.labels.iter_mut().for_each(|label| label.text = ports.open(&label.text));
            problem.help = problem.help.take().map(|help| ports.open(&help));
        }
    }

    /// What a step in the background has besides. `scope` is that inside the step.
    pub(super) fn background(
        &mut self,
        step: &'w workflow::Step,
        planned: &Step,
        scope: Option<&Scope>,
        ports: &Ports,
    ) -> Option<Background> {
        let background = step.background.as_ref()?;
        if planned.kind != Kind::Task && !planned.command {
            self.problems.push(
                Problem::new(
                    codes::NOT_IN_BACKGROUND,
                    format!(
                        "step `{}` cannot run in the background: its plugin is of the kind `{}`",
                        step.id, planned.kind
                    ),
                )
                .at(step.uses.span, "what it does is done when it ends")
                .help("only plugins of the kind `task`, and plain commands, run in the background"),
            );
        }
        let ready = background.ready.as_ref().and_then(|ready| {
            let when = match &ready.when {
                background::When::Says(pattern) => When::Says(pattern.clone()),
                background::When::Passes(probe) => {
                    When::Passes(Box::new(self.step(probe, scope, planned.excluded, ports)?))
                }
            };
            Some(Ready { span: ready.span, when, timeout_ms: ready.timeout_ms })
        });
        Some(Background {
            name: background.name.value.clone(),
            port: background.port,
            ready,
            stop_timeout_ms: background.stop_timeout_ms,
        })
    }
}
