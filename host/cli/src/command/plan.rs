//! `sluice plan`

mod grants;

use std::fmt::Write;
use std::path::Path;

use sluice_model::Outcome;
use sluice_model::grant::Capability;
use sluice_plan::{Background, Call, Concurrency, Decided, Job, Plan, Step, When};
use sluice_record::RunId;
use sluice_report::Look;
use sluice_report::graph::{self, Edge, Graph, Node};
use sluice_workflow::background::Port;

use super::run::run_id;
use crate::args::{GraphFormat, PlanArgs};
use crate::binding::BoundPlan;
use crate::output::Output;
use crate::{discover, exit, prepare, secrets};

/// What stands for `run.id` where there is no run.
const NO_RUN: &str = "RUN";

pub fn run(args: &PlanArgs, from: &Path, output: &Output) -> u8 {
    let selection = args.select.selection();
    let planned =
        discover::find(from, args.workflow.workflow.as_deref()).map_err(|problem| vec![problem]).and_then(|found| {
            // A plan that will be run names that run.
            let id = args.output.as_ref().map(|_| run_id()).transpose().map_err(|problem| vec![problem])?;
            let name = id.as_ref().map_or(NO_RUN, RunId::as_str);
            let prepared = prepare::prepare(&found, &args.workflow, &selection, name)?;
            prepared.note.iter().for_each(|note| output.message(note));
            if let (Some(file), Some(id)) = (&args.output, id) {
                let bound = BoundPlan::new(&found, &args.workflow, &prepared, &id);
                bound.write(&from.join(file), file).map_err(|problem| vec![problem])?;
            }
            Ok(prepared.plan)
        });
    let plan = match planned {
        Ok(plan) => plan,
        Err(problems) => {
            output.refused(&problems, args.json);
            return exit::REFUSED;
        }
    };
    match args.graph {
        Some(format) => output.result(&draw(&plan, format, output)),
        None if args.grants && args.json => output.result(&format!("{:#}\n", grants::json(&plan))),
        None if args.grants => output.result(&grants::text(&plan)),
        None if args.json => output.result(&format!("{}\n", plan.json_text())),
        None => output.result(&describe(&plan, output.look())),
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

/// The jobs as a graph; hooks come after all that nothing else waits for.
fn jobs(plan: &Plan) -> Graph {
    let mut graph = Graph { title: format!("{}  {}", plan.workflow, plan.source.name()), ..Graph::default() };
    for (index, job) in plan.all_jobs().enumerate() {
        let mut marks = Vec::new();
        if job.condition.is_some() {
            marks.push("if".to_owned());
        }
        if job.matrix.is_some() || job.cells.iter().any(|cell| cell.matrix.is_some()) {
            marks.push(if job.matrix.is_some() {
                "matrix".to_owned()
            } else {
                format!("matrix of {}", job.cells.len())
            });
        }
        if let Some(call) = &job.call {
            marks.push(format!("calls {}", call.workflow.source.name()));
        }
        if job.asks_somebody() {
            marks.push("approval".to_owned());
        }
        if !job.checklist.is_empty() {
            marks.push("checklist".to_owned());
        }
        if job.continue_on_error.is_known_true() {
            marks.push("may fail".to_owned());
        }
        graph.nodes.push(Node {
            name: job.name.clone(),
            steps: job.steps(0).iter().map(|step| step.name.clone()).collect(),
            marks,
            outcome: (job.excluded || (job.call.is_none() && job.all_steps().all(|step| step.excluded)))
                .then_some(Outcome::Skipped),
        });
        let whatever = job.hook.is_some();
        let before = if index < plan.jobs.len() { plan.comes_after(index) } else { Vec::new() };
        graph.edges.extend(before.into_iter().map(|from| Edge { from, to: index, whatever }));
    }
    for hook in plan.jobs.len()..plan.jobs.len() + plan.hooks.len() {
        let ends = (0..hook).filter(|job| graph.edges.iter().all(|edge| edge.from != *job));
        let edges: Vec<Edge> = ends.map(|from| Edge { from, to: hook, whatever: true }).collect();
        graph.edges.extend(edges);
    }
    graph
}

fn describe(plan: &Plan, look: Look) -> String {
    let mut text = format!("{}  {}  plan {}\n", plan.workflow, plan.source.name(), plan.digest.short());
    for (name, value) in &plan.inputs {
        let _ = writeln!(text, "  input {name} = {value}");
    }
    for layer in plan.policies.layers() {
        let _ = writeln!(text, "  policy {} of the {}", layer.source.name(), layer.owner.as_str());
    }
    let requirements = plan.requirements();
    for requirement in requirements.iter().flat_map(|(_, requires)| requires.lines()) {
        let _ = writeln!(text, "  requires {requirement}");
    }
    if let Some(Concurrency { group, when_busy, wait_timeout_ms, .. }) = &plan.concurrency {
        let limit = wait_timeout_ms.map(|ms| format!(" at most {} s", ms / 1000)).unwrap_or_default();
        let _ = writeln!(text, "  one run at a time of {group}; when busy: {when_busy}{limit}");
    }
    for (name, steps) in plan.granted_secrets() {
        let source = plan.secrets.get(name).map(|source| source.value.to_string());
        let source = source.unwrap_or_else(|| format!("env {}", secrets::variable(name)));
        let steps: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
        let _ = writeln!(text, "  secret {name} from {source}, for {}", steps.join(", "));
    }
    for job in plan.all_jobs() {
        describe_job(&mut text, job, look);
    }
    text
}

fn describe_job(text: &mut String, job: &Job, look: Look) {
    let needs = if job.needs.is_empty() { String::new() } else { format!("  needs {}", job.needs.join(", ")) };
    let condition =
        job.condition.as_ref().map(|condition| format!("  if {}", condition.expression.text)).unwrap_or_default();
    let paths = if job.paths.is_empty() { String::new() } else { format!("  paths {}", job.paths.join(", ")) };
    if job.unaffected {
        let _ = writeln!(text, "\n{}{needs}{paths}\n  skipped  {}", job.name, Job::UNAFFECTED);
        return;
    }
    if job.matrix.is_some() || job.cells.is_empty() {
        let cells = if job.matrix.is_some() { "known when the job starts" } else { "none" };
        let _ = writeln!(text, "\n{}{needs}{condition}{paths}\n  cells        {cells}", job.name);
    }
    if let Some(call) = &job.call {
        describe_call(text, job, call, &format!("{needs}{condition}{paths}"));
        return;
    }
    if job.is_guarded() && (job.cells.len() > 1 || job.cells.iter().any(|cell| cell.matrix.is_some())) {
        let _ = writeln!(text, "\n{}{needs}{condition}{paths}", job.name);
        guards(text, job);
    }
    for cell in &job.cells {
        if job.matrix.is_none() {
            let title = cell.title.as_ref().map(|title| format!("  {title}")).unwrap_or_default();
            let _ = writeln!(text, "\n{}{title}{needs}{condition}{paths}", cell.name);
        }
        if cell.matrix.is_none() {
            guards(text, job);
        }
        for step in &cell.steps {
            describe_step(text, step, look);
            if let Some(background) = step.background.as_ref().filter(|_| !step.excluded) {
                describe_background(text, background, look);
            }
        }
    }
}

fn describe_call(text: &mut String, job: &Job, call: &Call, rest: &str) {
    let _ = writeln!(text, "\n{}{rest}  calls {}", job.name, call.workflow.source.name());
    if job.excluded {
        let _ = writeln!(text, "  skipped      its condition does not hold");
        return;
    }
    match &call.inputs {
        Some(inputs) => {
            for (name, value) in inputs {
                let _ = writeln!(text, "  with         {name} = {value}");
            }
        }
        None => {
            let _ = writeln!(text, "  with         known when the job starts");
        }
    }
    for (there, here) in &call.secrets {
        let _ = writeln!(text, "  secret       {there} is {here}");
    }
}

/// Who is asked before the job, and what must hold.
fn guards(text: &mut String, job: &Job) {
    for (kind, line) in job.guards() {
        let _ = writeln!(text, "  {kind:<11}  {line}");
    }
}

fn describe_step(text: &mut String, step: &Step, look: Look) {
    let (reference, digest) = (&step.uses, step.digest.short());
    let _ = writeln!(text, "  {}  {}  {reference} {digest}", step.id, step.name);
    if let Some(condition) = &step.condition {
        let _ = writeln!(text, "      if       {}", condition.expression.text);
    }
    if step.excluded {
        let _ = writeln!(text, "      skipped  its condition does not hold");
        return;
    }
    for secret in step.at_most.secrets.iter().filter(|grant| grant.reveals()) {
        let alarm = look.alarm(format_args!("REVEALS  {} to the plugin", secret.name));
        let _ = writeln!(text, "      {alarm}");
    }
    if let Some(retry) = &step.retry {
        let _ = writeln!(text, "      retry    {} attempts in all", retry.attempts);
    }
    if let Some(items) = step.for_each.as_ref().and_then(|for_each| for_each.items.as_ref()) {
        for (item, decided) in items {
            let _ = writeln!(text, "      item     {}", sluice_workflow::matrix::label([item].into_iter()));
            describe_decided(text, step, decided);
        }
        notes(text, step);
        return;
    }
    let Some(decided) = &step.decided else {
        let _ = writeln!(text, "      inputs   known when the step starts");
        for capability in Capability::ALL {
            for grant in step.at_most.spellings(capability) {
                let _ = writeln!(text, "      at most  {capability}: {grant}");
            }
        }
        for grant in &step.at_services {
            let _ = writeln!(text, "      at most  {grant}");
        }
        notes(text, step);
        return;
    };
    describe_decided(text, step, decided);
    notes(text, step);
}

fn describe_background(text: &mut String, background: &Background, look: Look) {
    let port = background.port.map(|port| match port {
        Port::Auto => "; on a free port".to_owned(),
        Port::Fixed(port) => format!("; on port {port}"),
    });
    let _ = writeln!(text, "      beside   the steps after it{}", port.unwrap_or_default());
    let Some(ready) = &background.ready else { return };
    let within = format!("within {} s", ready.timeout_ms as f64 / 1000.0);
    match &ready.when {
        When::Says(pattern) => {
            let _ = writeln!(text, "      ready    {within}, when a line of its output matches `{pattern}`");
        }
        When::Passes(probe) => {
            let _ = writeln!(text, "      ready    {within}, when this passes:");
            describe_step(text, probe, look);
        }
    }
}

fn describe_decided(text: &mut String, step: &Step, decided: &Decided) {
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
}

fn notes(text: &mut String, step: &Step) {
    for note in &step.notes {
        let _ = writeln!(text, "      note     {note}");
    }
}
