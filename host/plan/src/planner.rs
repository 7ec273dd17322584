//! Workflow and plugins -> plan.

mod call;
mod concurrency;
mod notes;
mod services;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_model::suggest::{closest, list};
use sluice_model::{Digest, Globs, PluginRef, Problem, SecretSource, Source, Span};
use sluice_workflow::template::{Condition, Expression, FILES_ROOT};
use sluice_workflow::workflow::{Flag, Hook, Spanned, Title, Workflow};
use sluice_workflow::{Template, matrix, workflow};

use crate::codes;
use crate::plan::{Cell, Job, Plan, PluginInfo};
use crate::plugin::Plugin;
use crate::policy::SharedPolicies;
use crate::scope::Scope;
use crate::seen;
use call::Part;
use services::Ports;

/// What the caller knows of the world before the run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Facts {
    /// What `git` is in expressions; `None` outside a repository.
    pub git: Option<Value>,
    /// What `run` is in expressions.
    pub run: Value,
    /// Digests for `hash.files`, by [`sluice_workflow::template::files_key`].
    pub file_hashes: serde_json::Map<String, Value>,
    /// Files that have changed, relative to the workspace. With it, jobs whose `paths` match none of them are skipped.
    pub changed: Option<Vec<String>>,
    /// Names of the built-in plugins, for suggestions.
    pub builtins: Vec<String>,
    /// Why programs that steps run are not confined by the operating system; `None` if they are.
    pub unconfined: Option<String>,
    /// Why confined programs are not held to the TCP ports that they are granted; `None` if they are.
    pub all_ports: Option<String>,
}

/// Plugins by reference. One that could not be loaded is the problem that says why; its place is added here.
pub type Plugins = BTreeMap<PluginRef, Result<PluginInfo, Problem>>;

/// Plans a workflow. `inputs` are the values of the workflow's inputs, defaults filled in. What exceeds `policies` is
/// refused.
///
/// # Errors
/// All problems, of each file in source order, each within the file's source; those of a called file have the chain of
/// calls as causes.
pub fn plan(
    workflow: &Workflow,
    plugins: &Plugins,
    inputs: IndexMap<String, Value>,
    facts: Facts,
    policies: &SharedPolicies,
) -> Result<Plan, Vec<Problem>> {
    let context = json!({"inputs": inputs, "git": facts.git, "run": facts.run, FILES_ROOT: facts.file_hashes});
    let mut planner = Planner {
        plugins,
        facts,
        policies: policies.clone(),
        context: context.clone(),
        source: workflow.source.clone(),
        checked: BTreeMap::new(),
        jobs: IndexMap::new(),
        sources: workflow.secrets.clone(),
        problems: Vec::new(),
        told: Vec::new(),
    };
    let scope = planner.enter(Some(&Scope::new(&context)), &workflow.env);
    let concurrency = planner.concurrency(workflow.concurrency.as_ref(), scope.as_ref());
    planner.check_sources(workflow);
    planner.part(workflow, &Part::default(), scope.as_ref());
    let hooks = workflow
        .hooks
        .iter()
        .filter_map(|(hook, steps)| Some((*hook, planner.hook(*hook, steps, scope.as_ref(), false)?)));
    let hooks = hooks.collect();
    let called = std::mem::take(&mut planner.told);
    let own = std::mem::take(&mut planner.problems);
    planner.tell(own, workflow, &[]);
    planner.told.extend(called);
    if !planner.told.is_empty() {
        return Err(planner.told);
    }
    let mut plan = Plan {
        source: workflow.source.clone(),
        workflow: workflow.name.clone(),
        digest: Digest::from_bytes([0; 32]),
        inputs,
        context,
        env: workflow.env.clone(),
        secrets: planner.sources,
        requires: workflow.requires.clone(),
        policies: policies.clone(),
        concurrency,
        jobs: planner.jobs,
        hooks,
        timeout_ms: workflow.timeout_ms,
        max_parallel: workflow.max_parallel,
        fail_fast: workflow.fail_fast,
    };
    plan.digest = plan.compute_digest();
    Ok(plan)
}

struct Planner<'w> {
    plugins: &'w Plugins,
    facts: Facts,
    policies: SharedPolicies,
    /// As [`Plan::context`].
    context: Value,
    /// The file that is being planned.
    source: Source,
    /// `None` for a plugin whose problems have been told.
    checked: BTreeMap<&'w PluginRef, Option<Arc<Plugin>>>,
    /// As [`Plan::jobs`], so far.
    jobs: IndexMap<String, Job>,
    /// As [`Plan::secrets`], so far.
    sources: IndexMap<String, Spanned<SecretSource>>,
    /// Of the file that is being planned.
    problems: Vec<Problem>,
    /// Of the files that have been.
    told: Vec<Problem>,
}

impl<'w> Planner<'w> {
    /// Keeps the problems of a file. What a file does wrong in every call is told once, and so is what the policy refuses
    /// in every cell.
    fn tell(&mut self, mut problems: Vec<Problem>, workflow: &Workflow, chain: &[String]) {
        problems.sort_by_key(Problem::position);
        for problem in problems {
            let mut problem = problem.within(&workflow.source);
            let same = |told: &Problem| {
                (&told.source, &told.message, &told.labels) == (&problem.source, &problem.message, &problem.labels)
            };
            let once = !chain.is_empty() || problem.code == codes::POLICY;
            if !once || !self.told.iter().any(same) {
                problem.causes.extend(chain.iter().cloned());
                self.told.push(problem);
            }
        }
    }

    /// Programs that give values of secrets are held to the policy, as those are that steps run.
    fn check_sources(&mut self, workflow: &Workflow) {
        let refused = workflow.secrets.iter().filter_map(|(name, source)| self.policies.refuses_source(name, source));
        self.problems.extend(refused.collect::<Vec<_>>());
    }

    /// The scope inside something with variables; `None` if they depend on the run, or a problem has been told.
    fn enter(&mut self, scope: Option<&Scope>, env: &IndexMap<String, Template>) -> Option<Scope> {
        let scope = scope?;
        let expressions: Vec<_> = env.values().flat_map(Template::expressions).collect();
        if !known(scope, &expressions) {
            return None;
        }
        scope.enter(env).map_err(|problem| self.problems.push(problem)).ok()
    }

    /// Named as in its file. `excluded`: whether it is known not to run.
    fn job(&mut self, job: &'w workflow::Job, scope: Option<&Scope>, excluded: bool) -> Job {
        let unaffected = self.is_unaffected(job);
        let excluded = excluded || unaffected || self.is_excluded(job.condition.as_ref(), scope);
        let condition = match unaffected {
            true => Condition::never(job.name.span).map_err(|problems| self.problems.extend(problems)).ok(),
            false => job.condition.clone(),
        };
        let known_cells = job.matrix.as_ref().map(|matrix| self.cells(&job.name.value, matrix, scope));
        let open = matches!(known_cells, Some(None));
        let cells = match known_cells {
            Some(Some(cells)) => cells,
            _ => vec![(job.name.value.clone(), None)],
        };
        let source = self.source.clone();
        let ports = Ports::new(job, source.text());
        let cells = cells.into_iter().map(|(name, matrix)| {
            let scope = scope.cloned().map(|mut scope| {
                scope.context.set_some("matrix", matrix.as_ref());
                scope.context.set("services", &ports.value);
                scope
            });
            let scope = self.enter(scope.as_ref(), &job.env);
            let steps = job.steps.iter().filter_map(|step| self.step(step, scope.as_ref(), excluded, &ports));
            let mut steps: Vec<_> = steps.collect();
            seen::mark_readers(&mut steps);
            let read: Vec<_> = job.continue_on_error.expression().into_iter().collect();
            let known_in = scope.as_ref().filter(|_| !excluded && !ports.show_in(None, &read));
            let continue_on_error = self.flag(&job.continue_on_error, known_in);
            let (title, open_title) = match &job.title {
                Some(title) => {
                    let read = title.template.iter().flat_map(|template| template.expressions()).collect::<Vec<_>>();
                    let known_in = scope.as_ref().filter(|_| !ports.show_in(None, &read));
                    self.title(title, known_in, excluded)
                }
                None => (None, None),
            };
            Cell { name, matrix, title, open_title, continue_on_error, steps }
        });
        let cells = cells.collect();
        Job {
            name: job.name.value.clone(),
            source: self.source.clone(),
            span: job.name.span,
            inside: None,
            hook: None,
            call: None,
            needs: job.needs.iter().map(|need| need.value.clone()).collect(),
            condition,
            paths: job.paths.iter().map(|glob| glob.value.clone()).collect(),
            unaffected,
            excluded,
            env: job.env.clone(),
            outputs: job.outputs.clone(),
            timeout_ms: job.timeout_ms,
            continue_on_error: job.continue_on_error.clone(),
            matrix: job.matrix.clone().filter(|_| open),
            cells,
            max_parallel: job.max_parallel.map_or(usize::MAX, NonZeroUsize::get),
            fail_fast: job.fail_fast,
            approval: job.approval.clone(),
            checklist: job.checklist.clone(),
        }
    }

    /// Names and values of the cells; `None` if only the run knows them, or a problem has been told.
    fn cells(&mut self, job: &str, matrix: &Template, scope: Option<&Scope>) -> Option<Vec<(String, Option<Value>)>> {
        let scope = scope.filter(|scope| known(scope, &matrix.expressions()))?;
        let value = matrix.evaluate(&scope.context).map_err(|problem| self.problems.push(problem)).ok()?;
        let cells = matrix::cells(&value).map_err(|reason| {
            let message = format!("the matrix of job `{job}` {reason}");
            self.problems.push(Problem::new(codes::MATRIX, message).at(matrix.span, "cannot be used"));
        });
        let cells = cells.ok()?;
        let names = matrix::names(job, &cells);
        Some(names.into_iter().zip(cells).map(|(name, cell)| (name, Some(Value::Object(cell)))).collect())
    }

    fn hook(&mut self, hook: Hook, steps: &'w [workflow::Step], scope: Option<&Scope>, excluded: bool) -> Option<Job> {
        let (first, last) = (steps.first()?, steps.last()?);
        let name = hook.name().to_owned();
        let ports = Ports::default();
        let steps = steps.iter().filter_map(|step| self.step(step, scope, excluded, &ports));
        let mut steps: Vec<_> = steps.collect();
        seen::mark_readers(&mut steps);
        Some(Job {
            name: name.clone(),
            source: self.source.clone(),
            inside: None,
            hook: None,
            call: None,
            span: Span::new(first.span.start, last.span.end),
            needs: Vec::new(),
            condition: None,
            paths: Vec::new(),
            unaffected: false,
            excluded,
            env: IndexMap::new(),
            outputs: IndexMap::new(),
            timeout_ms: None,
            continue_on_error: Flag::default(),
            matrix: None,
            cells: vec![Cell {
                name,
                matrix: None,
                title: None,
                open_title: None,
                continue_on_error: Flag::default(),
                steps,
            }],
            max_parallel: usize::MAX,
            fail_fast: true,
            approval: None,
            checklist: IndexMap::new(),
        })
    }

    /// Whether files have changed, and none that concerns the job.
    fn is_unaffected(&mut self, job: &workflow::Job) -> bool {
        let Some(changed) = self.facts.changed.as_ref().filter(|_| !job.paths.is_empty()) else { return false };
        let globs: Vec<&str> = job.paths.iter().map(|glob| glob.value.as_str()).collect();
        // Each glob has been checked when the workflow was read.
        Globs::parse(&globs).is_ok_and(|globs| !changed.iter().any(|file| globs.matches(file)))
    }

    /// Whether a condition is known not to hold, so that what it guards needs no inputs.
    fn is_excluded(&mut self, condition: Option<&Condition>, scope: Option<&Scope>) -> bool {
        let (Some(condition), Some(scope)) = (condition, scope) else { return false };
        if condition.uses_status() || !known(scope, &[&condition.expression]) {
            return false;
        }
        match condition.holds(&scope.context) {
            Ok(holds) => !holds,
            Err(problem) => {
                self.problems.push(problem);
                false
            }
        }
    }

    /// A name, and its template if it is not known in the scope. What does not run keeps a name that has no value.
    fn title(&mut self, title: &Title, scope: Option<&Scope>, excluded: bool) -> (Option<String>, Option<Template>) {
        let raw = Some(title.text.clone());
        let Some(template) = &title.template else { return (raw, None) };
        let open = (raw, Some(template.clone()));
        let Some(scope) = scope.filter(|scope| known(scope, &template.expressions())) else { return open };
        match template.evaluate_line(&scope.context) {
            Ok(name) => (Some(name), None),
            Err(problem) => {
                self.problems.extend(Some(problem).filter(|_| !excluded));
                open
            }
        }
    }

    /// A flag, decided if all that it reads is known in the scope.
    fn flag(&mut self, flag: &Flag, scope: Option<&Scope>) -> Flag {
        let (Flag::Asked(condition), Some(scope)) = (flag, scope) else { return flag.clone() };
        if !known(scope, &[&condition.expression]) {
            return flag.clone();
        }
        match condition.holds(&scope.context) {
            Ok(holds) => Flag::Known(holds),
            Err(problem) => {
                self.problems.push(problem);
                flag.clone()
            }
        }
    }

    /// The plugin behind a reference, checked when it is first used.
    fn plugin(&mut self, uses: &'w PluginRef, at: Span) -> Option<Arc<Plugin>> {
        if let Some(checked) = self.checked.get(uses) {
            return checked.clone();
        }
        let checked = match self.plugins.get(uses) {
            Some(Ok(info)) => Plugin::check(info, at).map(Arc::new),
            Some(Err(problem)) => Err(vec![located(problem.clone(), at)]),
            None => Err(vec![self.unknown(uses, at)]),
        };
        let checked = checked.map_err(|problems| self.problems.extend(problems)).ok();
        self.checked.insert(uses, checked.clone());
        checked
    }

    fn unknown(&self, uses: &PluginRef, at: Span) -> Problem {
        let name = uses.to_string();
        let builtins = || self.facts.builtins.iter().map(String::as_str);
        let problem = Problem::new(codes::UNKNOWN_PLUGIN, format!("unknown plugin `{name}`"));
        match closest(&name, builtins()) {
            Some(similar) => problem
                .at(at, "no built-in plugin has this name")
                .help(format!("a plugin with a similar name exists: `{similar}`")),
            None => problem
                .at(at, "no built-in plugin has this name")
                .help(format!("built in: {}; others by path: `./plugin.wasm`", list(builtins()))),
        }
    }
}

/// A problem of a plugin keeps its own source, if it has one; the step is where it came from.
fn located(problem: Problem, at: Span) -> Problem {
    match problem.source {
        None if problem.labels.is_empty() => problem.at(at, "used here"),
        _ => problem,
    }
}

/// Whether all that the expressions name is known before the run.
fn known(scope: &Scope, expressions: &[&Expression]) -> bool {
    let roots: BTreeSet<&str> =
        expressions.iter().flat_map(|expression| expression.roots()).map(String::as_str).collect();
    roots.into_iter().all(|root| scope.context.has(root))
        && expressions.iter().all(|expression| scope.knows(expression))
}
