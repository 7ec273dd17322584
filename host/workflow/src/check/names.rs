//! Every name that an expression reads exists, and is there when the expression is evaluated.

use std::collections::HashMap;

use indexmap::IndexMap;
use sluice_model::{Problem, suggest};

use super::scope::{Needs, Scope, Steps};
use super::{calls, functions, types};
use crate::codes;
use crate::template::functions::NAMESPACES;
use crate::template::{Condition, Expression, FUNCTIONS, Reference, STATUS_FUNCTIONS, Template};
use crate::workflow::{Approval, Flag, Job, Step, Test, Title, Workflow};

/// Roots in the order in which a help lists them.
pub const ROOTS: [&str; 10] = ["inputs", "env", "needs", "steps", "services", "git", "run", "matrix", "item", "index"];
pub const GIT: [&str; 8] = ["sha", "short", "branch", "tag", "dirty", "time", "base", "changed"];
pub const RUN: [&str; 2] = ["id", "workflow"];
const RESULT: [&str; 2] = ["outcome", "outputs"];
/// What the result of a job with a matrix has besides.
const CELLS: &str = "cells";
/// What the result of a step with `for-each` has besides.
const ITEMS: &str = "items";

pub fn check(workflow: &Workflow, problems: &mut Vec<Problem>) {
    let mut names = Names { problems };
    let bare = Scope {
        workflow,
        env: [None; 3],
        needs: Needs::None,
        steps: Steps::None,
        services: None,
        matrix: None,
        for_each: false,
        condition: false,
    };
    names.variables(&workflow.env, &bare);
    let scope = bare.with_env(0, &workflow.env);
    workflow.concurrency.iter().for_each(|concurrency| names.group(&concurrency.group, &scope));
    for job in workflow.jobs.values() {
        names.job(job, &Scope { needs: Needs::Of(job), ..scope });
    }
    for (_, steps) in &workflow.hooks {
        names.steps(steps, &Scope { needs: Needs::All, ..scope });
    }
    let scope = Scope { needs: Needs::All, ..scope };
    workflow.outputs.values().for_each(|template| names.template(template, &scope));
}

struct Names<'p> {
    problems: &'p mut Vec<Problem>,
}

impl Names<'_> {
    fn job(&mut self, job: &Job, scope: &Scope<'_>) {
        self.condition(job.condition.as_ref(), scope);
        self.waits(job, scope);
        job.matrix.iter().for_each(|matrix| self.template(matrix, scope));
        if let Some(call) = &job.call {
            let before = self.problems.len();
            self.template(&call.with, scope);
            // What cannot be read has no type.
            if self.problems.len() == before {
                self.problems.extend(calls::check(job, call, scope));
            }
        }
        let scope = &Scope { matrix: job.matrix.as_ref(), services: Some(&job.steps), ..*scope };
        self.variables(&job.env, scope);
        let scope = scope.with_env(1, &job.env);
        self.flag(&job.continue_on_error, &scope);
        self.title(job.title.as_ref(), &scope);
        self.steps(&job.steps, &scope);
        let ids = ids(&job.steps);
        let scope = Scope { steps: Steps::Before(&ids, job.steps.len()), ..scope };
        job.outputs.values().for_each(|template| self.template(template, &scope));
    }

    /// What is looked at before there are cells, and when all needs have ended: how things stand is known then.
    fn waits(&mut self, job: &Job, scope: &Scope<'_>) {
        for expression in job.approval.iter().flat_map(Approval::expressions) {
            self.expression(expression, scope);
        }
        for gate in job.checklist.values() {
            let before = self.problems.len();
            for expression in gate.expressions() {
                self.expression(expression, scope);
            }
            if let Test::Check(condition) = &gate.test
                && self.problems.len() == before
            {
                self.problems.extend(types::condition("the gate", &condition.expression, scope));
            }
        }
    }

    fn steps(&mut self, steps: &[Step], scope: &Scope<'_>) {
        let ids = ids(steps);
        for (position, step) in steps.iter().enumerate() {
            let scope = Scope { steps: Steps::Before(&ids, position), ..*scope };
            step.for_each.iter().for_each(|items| self.template(items, &scope));
            let scope = Scope { for_each: step.for_each.is_some(), ..scope };
            self.variables(&step.env, &scope);
            let scope = scope.with_env(2, &step.env);
            // It is asked once, before there are items.
            self.condition(step.condition.as_ref(), &Scope { for_each: false, ..scope });
            self.template(&step.with, &scope);
            step.probe().iter().for_each(|probe| self.template(&probe.with, &scope));
            self.flag(&step.continue_on_error, &scope);
            self.title(Some(&step.name), &scope);
        }
    }

    /// The name of a group, which is the same in all runs that belong to it.
    fn group(&mut self, group: &Template, scope: &Scope<'_>) {
        for expression in group.expressions() {
            let unknown = expression.references.iter().filter_map(|reference| {
                let (what, label) = match reference.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    [root @ ("needs" | "steps" | "matrix" | "item" | "index"), ..] => {
                        (format!("`{root}` is not known before the run"), "the group is, so that runs can wait for it")
                    }
                    ["run", "id", ..] => {
                        ("`run.id` is another one in every run".to_owned(), "no two runs would share the group")
                    }
                    _ => return None,
                };
                let problem = Problem::new(codes::GROUP, what).at(reference.span, label);
                Some(problem.help("a group reads `inputs`, `env` of the workflow, `git` and `run.workflow`"))
            });
            let unknown: Vec<Problem> = unknown.collect();
            match unknown.is_empty() {
                true => self.expression(expression, scope),
                false => self.problems.extend(unknown),
            }
        }
    }

    fn variables(&mut self, variables: &IndexMap<String, Template>, scope: &Scope<'_>) {
        variables.values().for_each(|template| self.template(template, scope));
    }

    fn template(&mut self, template: &Template, scope: &Scope<'_>) {
        for expression in template.expressions() {
            self.expression(expression, scope);
        }
    }

    fn condition(&mut self, condition: Option<&Condition>, scope: &Scope<'_>) {
        let Some(condition) = condition else { return };
        let before = self.problems.len();
        let scope = Scope { condition: true, ..*scope };
        self.expression(&condition.expression, &scope);
        if self.problems.len() == before {
            self.problems.extend(types::condition("the condition", &condition.expression, &scope));
        }
    }

    fn title(&mut self, title: Option<&Title>, scope: &Scope<'_>) {
        title.and_then(|title| title.template.as_ref()).iter().for_each(|template| self.template(template, scope));
    }

    /// `continue-on-error`, which cannot ask how things stand.
    fn flag(&mut self, flag: &Flag, scope: &Scope<'_>) {
        let Some(expression) = flag.expression() else { return };
        let before = self.problems.len();
        self.expression(expression, scope);
        if self.problems.len() == before {
            self.problems.extend(types::condition("`continue-on-error`:", expression, scope));
        }
    }

    fn expression(&mut self, expression: &Expression, scope: &Scope<'_>) {
        let before = self.problems.len();
        for reference in &expression.references {
            // The second half of a name with `-`, whose first half has been told.
            let told = self.problems.len() > before && dashed(&reference.path[0], expression).is_some();
            if !told {
                self.problems.extend(self::reference(reference, expression, scope));
            }
        }
        for (name, span) in expression.calls() {
            if STATUS_FUNCTIONS.contains(&name) {
                if !scope.condition {
                    self.problems.push(
                        Problem::new(codes::NOT_AVAILABLE, format!("`{name}()` is not known here"))
                            .at(span, "only a condition, `if`, can ask this")
                            .help("`steps.ID.outcome` and `needs.JOB.outcome` tell how something ended"),
                    );
                }
            } else if !FUNCTIONS.contains(&name) {
                let status = STATUS_FUNCTIONS.into_iter().filter(|_| scope.condition);
                let help = match suggest::closest(name, FUNCTIONS.into_iter().chain(status)) {
                    Some(close) => format!("a function with a similar name exists: `{close}`"),
                    None if let Some((root, _)) = name.split_once('.') => namespace(root),
                    None => format!("functions: {}", suggest::list(FUNCTIONS)),
                };
                self.problems.push(
                    Problem::new(codes::UNKNOWN_FUNCTION, format!("unknown function `{name}`"))
                        .at(span, "not a function")
                        .help(help),
                );
            }
        }
        self.problems.extend(functions::files(expression));
        if self.problems.len() == before {
            self.problems.extend(types::expression(expression, scope));
        }
    }
}

fn ids(steps: &[Step]) -> HashMap<&str, usize> {
    steps.iter().enumerate().map(|(position, step)| (step.id.as_str(), position)).collect()
}

fn reference(reference: &Reference, expression: &Expression, scope: &Scope<'_>) -> Option<Problem> {
    let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
    let at = |problem: Problem, label: &str| problem.at(reference.span, label);
    let unknown = |message: String, label: &str, help: String| {
        Some(at(Problem::new(codes::UNKNOWN_NAME, message), label).help(help))
    };
    match *path.as_slice() {
        ["inputs", name, ..] if !scope.workflow.inputs.contains_key(name) => {
            let names = scope.workflow.inputs.keys().map(String::as_str);
            unknown(
                format!("there is no input `{name}`"),
                "not declared below `inputs`",
                suggestion("an input", "inputs", "inputs", &path, names, expression),
            )
        }
        ["env", name, ..] if !scope.variable(name) && !reference.optional => {
            let help = suggestion("a variable", "variables", "env", &path, scope.variables(), expression);
            unknown(format!("there is no variable `{name}` here"), "not set by an `env` around this place", help)
        }
        ["git", name, ..] if !GIT.contains(&name) => unknown(
            format!("`git` has no `{name}`"),
            "not known of the repository",
            suggestion("a value", "`git` has", "git", &path, GIT, expression),
        ),
        ["run", name, ..] if !RUN.contains(&name) => unknown(
            format!("`run` has no `{name}`"),
            "not known of the run",
            suggestion("a value", "`run` has", "run", &path, RUN, expression),
        ),
        ["matrix", ..] if scope.matrix.is_none() => {
            let problem = Problem::new(codes::NOT_AVAILABLE, "`matrix` is not known here");
            Some(
                at(problem, "no matrix around this place")
                    .help("give the job a `matrix`; its `if` is asked before there are cells"),
            )
        }
        ["matrix", name, ..] if !reference.optional => {
            let names = scope.matrix_names()?;
            if names.contains(&name) {
                return None;
            }
            let help = suggestion("a value", "the matrix has", "matrix", &path, names.iter().copied(), expression);
            unknown(format!("the matrix has no `{name}`"), "not a name of this matrix", help)
        }
        [root @ ("item" | "index"), ..] if !scope.for_each => {
            let problem = Problem::new(codes::NOT_AVAILABLE, format!("`{root}` is not known here"));
            Some(
                at(problem, "no items at this place")
                    .help("give the step a `for-each`; its `if` is asked before there are items"),
            )
        }
        ["needs", name, ..] => needs(&path, name, reference, expression, scope),
        ["steps", name, ..] => steps(&path, name, reference, expression, scope),
        ["services", ..] => services(&path, reference, expression, scope),
        ["needs"] | ["steps"] => None,
        [root, ..] if !ROOTS.contains(&root) => {
            let help = match dashed(root, expression) {
                Some(help) => help,
                None if root == "jobs" => "results of jobs are read as `needs.JOB.outputs.NAME`".to_owned(),
                None if root == "secrets" => {
                    "expressions never see a secret; inputs of plugins name it, and the host puts it in".to_owned()
                }
                None if NAMESPACES.contains(&root) => namespace(root),
                None => match suggest::closest(root, ROOTS) {
                    Some(close) => format!("a similar name exists: `{close}`"),
                    None => format!("expressions see {}; quote text: \"{root}\"", suggest::list(ROOTS)),
                },
            };
            unknown(format!("unknown name `{root}`"), "not something that expressions see", help)
        }
        _ => None,
    }
}

fn namespace(name: &str) -> String {
    let functions = FUNCTIONS.into_iter().filter(|function| function.split('.').next() == Some(name));
    format!("it has functions only: {}", suggest::list(functions))
}

fn needs(
    path: &[&str],
    name: &str,
    reference: &Reference,
    expression: &Expression,
    scope: &Scope<'_>,
) -> Option<Problem> {
    let problem = |code, message: String, label: &str, help: String| {
        Some(Problem::new(code, message).at(reference.span, label).help(help))
    };
    let needed = match scope.needs {
        Needs::None => {
            return problem(
                codes::NOT_AVAILABLE,
                "`needs` is not known here".into(),
                "no job has run yet",
                "read it in a job that needs another".into(),
            );
        }
        Needs::Of(job) => job.needs.iter().any(|need| need.value == name),
        Needs::All => true,
    };
    let Some(target) = scope.workflow.jobs.get(name) else {
        let names: Vec<&str> = match scope.needs {
            Needs::Of(job) => job.needs.iter().map(|need| need.value.as_str()).collect(),
            _ => scope.workflow.jobs.keys().map(String::as_str).collect(),
        };
        return problem(
            codes::UNKNOWN_NAME,
            format!("there is no job `{name}`"),
            "no job has this name",
            suggestion("a job", "jobs", "needs", path, names, expression),
        );
    };
    if !needed {
        let message = format!("the job `{name}` may not have run yet");
        return problem(
            codes::NOT_AVAILABLE,
            message,
            "this job does not need it",
            format!("add `{name}` to the `needs` of this job"),
        );
    }
    match path {
        // What a workflow that could not be read has as outputs is not known.
        [_, _, "outputs", _, ..] if target.call.as_ref().is_some_and(|call| call.workflow.is_none()) => None,
        [_, _, "outputs", output, ..] if !target.outputs().contains_key(*output) => {
            let outputs = target.outputs();
            let names = outputs.keys().map(String::as_str);
            let help = if let (Some(call), true) = (&target.call, outputs.is_empty()) {
                let file = &call.file.value;
                format!("declare it in `{file}`: outputs: {{{output}: ${{{{ needs.JOB.outputs.NAME }}}}}}")
            } else if outputs.is_empty() {
                format!("declare it in job `{name}`: outputs: {{{output}: ${{{{ steps.ID.outputs.NAME }}}}}}")
            } else {
                suggestion("an output", "outputs", &format!("needs.{name}.outputs"), path, names, expression)
            };
            problem(
                codes::UNKNOWN_NAME,
                format!("the job `{name}` has no output `{output}`"),
                "not declared below `outputs` of that job",
                help,
            )
        }
        [_, _, part, ..] if *part == CELLS && target.matrix.is_some() => None,
        [_, _, part, ..] if !RESULT.contains(part) => part_of("job", name, part, reference),
        _ => None,
    }
}

fn steps(
    path: &[&str],
    name: &str,
    reference: &Reference,
    expression: &Expression,
    scope: &Scope<'_>,
) -> Option<Problem> {
    let problem = |code, message: String, label: &str, help: String| {
        Some(Problem::new(code, message).at(reference.span, label).help(help))
    };
    let Steps::Before(ids, earlier) = scope.steps else {
        return problem(
            codes::NOT_AVAILABLE,
            "`steps` is not known here".into(),
            "no step of this job has run yet",
            "read it in a later step of the same job, or in `outputs` of the job".into(),
        );
    };
    match ids.get(name) {
        None => {
            let names = ids
                .iter()
                .filter(|(id, position)| **position < earlier && !id.starts_with("step-") && !id.contains('.'))
                .map(|(id, _)| *id);
            let mut names: Vec<&str> = names.take(200).collect();
            names.sort_unstable();
            let help = if names.is_empty() {
                format!("give the earlier step an id: `id: {name}`")
            } else {
                suggestion("a step", "earlier steps", "steps", path, names, expression)
            };
            problem(codes::UNKNOWN_NAME, format!("there is no step `{name}` in this job"), "no step has this id", help)
        }
        Some(position) if *position >= earlier => {
            let (message, label) = match *position == earlier {
                true => (format!("the step `{name}` reads itself"), "its result is not there yet"),
                false => (format!("the step `{name}` comes later"), "runs after this step"),
            };
            problem(codes::NOT_AVAILABLE, message, label, "read the results of earlier steps only".into())
        }
        Some(_) if scope.steps_are_open() && scope.services().any(|service| service.name.value == name) => problem(
            codes::NOT_AVAILABLE,
            format!("the step `{name}` runs in the background"),
            "it ends after all other steps",
            format!("its port is `services.{name}.port`; write what else is needed to a file"),
        ),
        Some(_) => match path {
            [_, _, part, ..] if !RESULT.contains(part) && *part != ITEMS => part_of("step", name, part, reference),
            _ => None,
        },
    }
}

fn services(path: &[&str], reference: &Reference, expression: &Expression, scope: &Scope<'_>) -> Option<Problem> {
    let problem = |code, message: String, label: &str, help: String| {
        Some(Problem::new(code, message).at(reference.span, label).help(help))
    };
    if scope.services.is_none() {
        return problem(
            codes::NOT_AVAILABLE,
            "`services` is not known here".into(),
            "no services at this place",
            "read it in a job that has `services`: in its `env`, `outputs`, services or steps".into(),
        );
    }
    let &[_, name, ref rest @ ..] = path else { return None };
    let Some(service) = scope.services().find(|service| service.name.value == name) else {
        let names = scope.services().map(|service| service.name.value.as_str());
        return problem(
            codes::UNKNOWN_NAME,
            format!("there is no service `{name}` in this job"),
            "not declared below `services`",
            suggestion("a service", "services", "services", path, names, expression),
        );
    };
    match rest {
        ["port", ..] if service.port.is_none() => problem(
            codes::NOT_AVAILABLE,
            format!("the service `{name}` has no port"),
            "nothing says where it listens",
            format!("add `port: auto` to the service `{name}`"),
        ),
        [part, ..] if *part != "port" => problem(
            codes::UNKNOWN_NAME,
            format!("the service `{name}` has no `{part}`"),
            "services have a `port` only",
            format!("read `services.{name}.port`"),
        ),
        _ => None,
    }
}

fn part_of(of: &str, name: &str, part: &str, reference: &Reference) -> Option<Problem> {
    let help = match suggest::closest(part, RESULT) {
        Some(close) => format!("a similar name exists: `{close}`"),
        None => format!("read `{}.{name}.outputs.{part}` or `{}.{name}.outcome`", reference.path[0], reference.path[0]),
    };
    Some(
        Problem::new(codes::UNKNOWN_NAME, format!("the {of} `{name}` has no `{part}`"))
            .at(reference.span, "results have `outcome` and `outputs`")
            .help(help),
    )
}

/// `name` is the last name of `path` that matters; `root` is what stands before it.
fn suggestion<'n>(
    one: &str,
    all: &str,
    root: &str,
    path: &[&str],
    names: impl IntoIterator<Item = &'n str> + Clone,
    expression: &Expression,
) -> String {
    let depth = root.split('.').count();
    let name = path.get(depth).copied().unwrap_or_default();
    // `steps.build-app` was read as a subtraction; the whole name may exist.
    let longer = names.clone().into_iter().filter(|known| known.contains('-') && known.starts_with(name));
    if let Some(known) = longer.into_iter().find(|known| expression.text.contains(&format!(".{known}"))) {
        return minus(known);
    }
    match suggest::closest(name, names.clone()) {
        Some(close) => format!("{one} with a similar name exists: `{close}`"),
        None if names.clone().into_iter().next().is_none() => format!("there are no {all} here"),
        None => format!("{all}: {}", suggest::list(names)),
    }
}

/// A root that is only the rest of a name with `-`.
fn dashed(root: &str, expression: &Expression) -> Option<String> {
    let at = expression.text.find(&format!("-{root}"))?;
    let before = &expression.text[..at];
    let begin = before
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .filter(|dot| before[*dot..].starts_with('.'))?;
    Some(minus(&format!("{}-{root}", &before[begin + 1..])))
}

fn minus(name: &str) -> String {
    format!("`-` is minus in expressions; write `[\"{name}\"]` for `.{name}`")
}
