//! `sluice policy explain`

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use sluice_model::grant::{Capability, Grant};
use sluice_model::suggest::{closest, list};
use sluice_model::{Problem, SecretSource};
use sluice_plan::policy::{Decision, Layer, Policies, Ruling, Verdict};
use sluice_plan::{Plan, Selection, SharedPolicies, Step};

use crate::args::{ExplainPolicyArgs, WorkflowArgs};
use crate::{discover, policy, prepare};

/// What stands for `run.id` where there is no run.
const NO_RUN: &str = "RUN";

/// What stands for the port of a service, which only the run knows.
const SOME_PORT: &str = "65535";

/// What is decided of a step, or of the source of a secret.
struct Explained {
    /// `JOB/STEP`
    name: String,
    /// The step's own id.
    id: String,
    skipped: bool,
    decisions: Vec<Decision>,
}

/// Every decision of the policies, as text or JSON.
pub fn explain(args: &ExplainPolicyArgs, from: &Path) -> Result<String, Vec<Problem>> {
    let found = discover::find(from, args.workflow.as_deref()).map_err(|problem| vec![problem])?;
    let policies = policy::read(&found.workspace)?;
    let inputs = args.inputs.clone();
    let workflow = WorkflowArgs { workflow: args.workflow.clone(), inputs, affected: false, base: None };
    // Under no policy, so that what is refused is in the plan as well.
    let free = SharedPolicies::default();
    let prepared = prepare::prepare_under(&found, &workflow, &Selection::default(), NO_RUN, None, &free)?;
    let mut all = steps(&prepared.plan, &policies);
    match &args.step {
        Some(wanted) => {
            check(wanted, &all).map_err(|problem| vec![problem])?;
            all.retain(|explained| explained.is(wanted));
        }
        None => all.extend(sources(&prepared.plan, &policies)),
    }
    if args.json {
        return Ok(format!("{:#}\n", as_json(&all, &policies)));
    }
    let mut text = String::new();
    if policies.layers().is_empty() {
        text.push_str("no policy applies here: what plugins declare and the workflow grants is permitted\n\n");
    }
    for (number, explained) in all.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        explained.describe(&mut text, &policies);
    }
    Ok(text)
}

fn steps(plan: &Plan, policies: &Policies) -> Vec<Explained> {
    let cells = plan.all_jobs().flat_map(|job| &job.cells);
    let steps = cells.flat_map(|cell| cell.steps.iter().flat_map(Step::with_probe).map(move |step| (&cell.name, step)));
    let explained = steps.map(|(cell, step)| Explained {
        name: format!("{cell}/{}", step.id),
        id: step.id.clone(),
        skipped: step.excluded,
        decisions: if step.excluded { Vec::new() } else { decisions(step, policies) },
    });
    explained.collect()
}

fn decisions(step: &Step, policies: &Policies) -> Vec<Decision> {
    let candidate = step.candidate();
    let grants = step.at_most.iter().chain(step.at_services.iter().filter_map(|open| at_some_port(open)));
    let grants = grants.map(|grant| policies.grant(&candidate, &grant));
    std::iter::once(policies.plugin(&candidate)).chain(grants).collect()
}

/// `tcp: 127.0.0.1:${{ services.web.port }}` as a grant.
fn at_some_port(open: &str) -> Option<Grant> {
    let (capability, spelling) = open.split_once(": ")?;
    let (mut closed, mut rest) = (String::new(), spelling);
    while let Some((front, behind)) = rest.split_once("${{") {
        closed.push_str(front);
        closed.push_str(SOME_PORT);
        rest = behind.split_once("}}")?.1;
    }
    closed.push_str(rest);
    Grant::parse(Capability::parse(capability)?, &closed).ok()
}

/// Secrets whose values programs give.
fn sources(plan: &Plan, policies: &Policies) -> Vec<Explained> {
    let programs = plan.secrets.iter().filter_map(|(name, source)| match &source.value {
        SecretSource::Command(words) => Some((name, words.first()?)),
        _ => None,
    });
    let explained = programs.map(|(name, program)| Explained {
        name: format!("secret {name}"),
        id: name.clone(),
        skipped: false,
        decisions: vec![policies.program(program)],
    });
    explained.collect()
}

fn check(wanted: &str, all: &[Explained]) -> Result<(), Problem> {
    if all.iter().any(|explained| explained.is(wanted)) {
        return Ok(());
    }
    let names = || all.iter().map(|explained| explained.name.as_str());
    let problem = Problem::new("plan::unknown-step", format!("the workflow has no step `{wanted}`"));
    Err(problem.help(match closest(wanted, names()) {
        Some(close) => format!("a step with a similar name exists: `{close}`"),
        None => format!("steps: {}", list(names())),
    }))
}

impl Explained {
    fn is(&self, wanted: &str) -> bool {
        self.name == wanted || self.id == wanted
    }

    fn describe(&self, text: &mut String, policies: &Policies) {
        let _ = writeln!(text, "{}", self.name);
        if self.skipped {
            let _ = writeln!(text, "  skipped  its condition does not hold");
        }
        for decision in &self.decisions {
            let _ = writeln!(text, "  {}  {}", verdict(decision), decision.subject);
            for ruling in &decision.rulings {
                if let Some(layer) = policies.layers().get(ruling.layer) {
                    let _ = writeln!(text, "      {}", line(layer, ruling));
                }
            }
        }
    }
}

fn verdict(decision: &Decision) -> &'static str {
    if decision.is_allowed() { "allowed" } else { "refused" }
}

/// `sluice-policy.yaml:4:9 permits exec: git`
fn line(layer: &Layer, ruling: &Ruling) -> String {
    match &ruling.verdict {
        Verdict::Silent => format!("{} says nothing", layer.source.name()),
        Verdict::Permitted { rule, span } => format!("{} says `{rule}`", layer.place(*span)),
        Verdict::Refused { reason, span, .. } => format!("{} {reason}", layer.place(*span)),
    }
}

fn as_json(all: &[Explained], policies: &Policies) -> Value {
    let steps = all.iter().map(|explained| {
        let decisions = explained.decisions.iter().map(|decision| {
            let rulings = decision.rulings.iter().filter_map(|ruling| {
                let layer = policies.layers().get(ruling.layer)?;
                let (verdict, said, span) = match &ruling.verdict {
                    Verdict::Silent => ("silent", None, None),
                    Verdict::Permitted { rule, span } => ("permitted", Some(rule), Some(span)),
                    Verdict::Refused { reason, span, .. } => ("refused", Some(reason), Some(span)),
                };
                let place = span.map(|span| layer.source.line_column(span.start));
                Some(json!({
                    "owner": layer.owner.as_str(),
                    "file": layer.source.name(),
                    "line": place.map(|(line, _)| line),
                    "column": place.map(|(_, column)| column),
                    "verdict": verdict,
                    "says": said,
                }))
            });
            let rulings: Vec<Value> = rulings.collect();
            json!({"of": decision.subject.to_string(), "allowed": decision.is_allowed(), "rulings": rulings})
        });
        json!({"step": explained.name, "skipped": explained.skipped, "decisions": decisions.collect::<Vec<_>>()})
    });
    json!({"steps": steps.collect::<Vec<_>>()})
}
