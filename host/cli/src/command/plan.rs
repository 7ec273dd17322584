//! `sluice plan`

use std::fmt::Write;
use std::path::Path;

use sluice_model::Outcome;
use sluice_model::grant::Capability;
use sluice_plan::{Job, Plan, Step};
use sluice_record::RunId;
use sluice_report::graph::{self, Edge, Graph, Node};

use super::run::run_id;
use crate::args::{GraphFormat, PlanArgs};
use crate::binding::BoundPlan;
use crate::output::Output;
use crate::{discover, exit, prepare};

/// What stands for `run.id` where there is no run.
const NO_RUN: &str = "RUN";

pub fn run(args: &PlanArgs, from: &Path, output: &Output) -> u8 {
    let selection = args.select.selection();
    let planned =
        discover::find(from, args.workflow.workflow.as_deref()).map_err(|problem| vec![problem]).and_then(|found| {
            // A plan that will be run names that run.
            let id = args.output.as_ref().map(|_| run_id()).transpose().map_err(|problem| vec![problem])?;
            let name = id.as_ref().map_or(NO_RUN, RunId::as_str);
            let prepared = prepare::prepare(&found, &args.workflow.inputs, &selection, name)?;
            if let (Some(file), Some(id)) = (&args.output, id) {
                let bound = BoundPlan::new(&found, &args.workflow.inputs, &selection, &prepared, &id);
                bound.write(&from.join(file), file).map_err(|problem| vec![problem])?;
            }
            Ok(prepared.plan)
        });
    let plan = match planned {
        Ok(plan) => plan,
        Err(problems) => {
            output.problems(&problems);
            return exit::REFUSED;
        }
    };
    match args.graph {
        Some(format) => output.result(&draw(&plan, format, output)),
        None if args.json => output.result(&format!("{:#}\n", plan.to_json())),
        None => output.result(&describe(&plan)),
    }
    if let Some(file) = &args.output {
        output.message(&format!("\nrun exactly this: sluice run --plan {}\n", file.display()));
    }
    exit::PASSED
}

fn draw(plan: &Plan, format: GraphFormat, output: &Output) -> String {
    let graph = jobs(plan);
    match format {
        GraphFormat::Text => graph::text(&graph, output.look(), output.width()),
        GraphFormat::Mermaid => graph::mermaid(&graph),
        GraphFormat::Dot => graph::dot(&graph),
        GraphFormat::Svg => graph::svg(&graph),
    }
}

/// The jobs as a graph; `finally` comes after all that nothing else waits for.
fn jobs(plan: &Plan) -> Graph {
    let mut graph = Graph { title: format!("{}  {}", plan.workflow, plan.source.name()), ..Graph::default() };
    for (index, job) in plan.all_jobs().enumerate() {
        let mut marks = Vec::new();
        if job.condition.is_some() {
            marks.push("if".to_owned());
        }
        if job.continue_on_error {
            marks.push("may fail".to_owned());
        }
        graph.nodes.push(Node {
            name: job.name.clone(),
            steps: job.steps.iter().map(|step| step.name.clone()).collect(),
            marks,
            outcome: job.steps.iter().all(|step| step.excluded).then_some(Outcome::Skipped),
        });
        let needs = job.needs.iter().filter_map(|need| plan.jobs.get_index_of(need));
        graph.edges.extend(needs.map(|from| Edge { from, to: index, whatever: false }));
    }
    if plan.finally.is_some() {
        let last = plan.jobs.len();
        let ends = (0..last).filter(|job| graph.edges.iter().all(|edge| edge.from != *job));
        let edges: Vec<Edge> = ends.map(|from| Edge { from, to: last, whatever: true }).collect();
        graph.edges.extend(edges);
    }
    graph
}

fn describe(plan: &Plan) -> String {
    let mut text = format!("{}  {}  plan {}\n", plan.workflow, plan.source.name(), plan.digest.short());
    for (name, value) in &plan.inputs {
        let _ = writeln!(text, "  input {name} = {value}");
    }
    for job in plan.jobs.values().chain(&plan.finally) {
        describe_job(&mut text, job);
    }
    text
}

fn describe_job(text: &mut String, job: &Job) {
    let needs = if job.needs.is_empty() { String::new() } else { format!("  needs {}", job.needs.join(", ")) };
    let condition =
        job.condition.as_ref().map(|condition| format!("  if {}", condition.expression.text)).unwrap_or_default();
    let _ = writeln!(text, "\n{}{needs}{condition}", job.name);
    for step in &job.steps {
        describe_step(text, step);
    }
}

fn describe_step(text: &mut String, step: &Step) {
    let (reference, digest) = (&step.uses, step.digest.short());
    let _ = writeln!(text, "  {}  {}  {reference} {digest}", step.id, step.name);
    if let Some(condition) = &step.condition {
        let _ = writeln!(text, "      if       {}", condition.expression.text);
    }
    if step.excluded {
        let _ = writeln!(text, "      skipped  its condition does not hold");
        return;
    }
    let Some(decided) = &step.decided else {
        let _ = writeln!(text, "      inputs   known when the step starts");
        for capability in Capability::ALL {
            for grant in step.at_most.spellings(capability) {
                let _ = writeln!(text, "      at most  {capability}: {grant}");
            }
        }
        notes(text, step);
        return;
    };
    // What the workflow says; defaults are in the JSON.
    let given = |name: &str| step.with.get(name).is_some();
    for (name, value) in decided.inputs.as_object().into_iter().flatten().filter(|(name, _)| given(name)) {
        let _ = writeln!(text, "      with     {name} = {value}");
    }
    if decided.grants.is_empty() {
        let _ = writeln!(text, "      grants   nothing");
    }
    for capability in Capability::ALL {
        for grant in decided.grants.spellings(capability) {
            let _ = writeln!(text, "      grants   {capability}: {grant}");
        }
    }
    notes(text, step);
}

fn notes(text: &mut String, step: &Step) {
    for note in &step.notes {
        let _ = writeln!(text, "      note     {note}");
    }
}
