//! What is inside a call.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Map;
use sluice_model::{Problem, Span};
use sluice_workflow::bind_call;
use sluice_workflow::template::TemplateValue;
use sluice_workflow::workflow::{self, Spanned, Workflow};

use super::{Planner, known};
use crate::call::{Call, qualify};
use crate::codes;
use crate::plan::Job;
use crate::scope::Scope;

/// The workflow that is being planned: where it stands among the calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// Name and position of the calling job; `None` for the outermost workflow.
    pub call: Option<(String, usize)>,
    /// As [`Call::secrets`]; `None` for the outermost workflow, which may name any.
    pub secrets: Option<BTreeMap<String, String>>,
    /// Whether it is known not to run.
    pub excluded: bool,
    /// Who calls it, innermost first.
    pub chain: Vec<String>,
}

impl Part {
    /// The name of one of its jobs.
    pub fn name(&self, local: &str) -> String {
        qualify(self.call.as_ref().map(|(name, _)| name.as_str()), local)
    }
}

impl<'w> Planner<'w> {
    /// All jobs of a workflow, with what they call; for a called one also the hooks. `scope` is that of the workflow.
    pub(super) fn part(&mut self, workflow: &'w Workflow, part: &Part, scope: Option<&Scope>) {
        for (local, job) in &workflow.jobs {
            let mut planned = self.job(job, scope, part.excluded);
            planned.inside = part.call.as_ref().map(|(_, call)| *call);
            planned.name = part.name(local);
            for cell in &mut planned.cells {
                cell.name = part.name(&cell.name);
            }
            for need in &mut planned.needs {
                *need = part.name(need);
            }
            self.check_secrets(&planned, part);
            let (name, excluded) = (planned.name.clone(), planned.excluded);
            let (index, _) = self.jobs.insert_full(name, planned);
            if let Some((call, called)) = job.call.as_ref().and_then(|call| Some((call, call.workflow.as_deref()?))) {
                self.call(index, call, called, Part { excluded, ..part.clone() }, scope);
            }
        }
        let Some((_, call)) = &part.call else { return };
        for (hook, steps) in &workflow.hooks {
            let Some(mut planned) = self.hook(*hook, steps, scope, part.excluded) else { continue };
            planned.inside = Some(*call);
            planned.hook = Some(*hook);
            planned.name = part.name(hook.name());
            for cell in &mut planned.cells {
                cell.name.clone_from(&planned.name);
            }
            self.check_secrets(&planned, part);
            self.jobs.insert(planned.name.clone(), planned);
        }
    }

    /// `around` is the part of the calling job, `scope` its workflow's.
    fn call(
        &mut self,
        index: usize,
        call: &'w workflow::Call,
        called: &'w Workflow,
        around: Part,
        scope: Option<&Scope>,
    ) {
        let Some(arc) = call.workflow.clone() else { return };
        let (name, source) = (self.jobs[index].name.clone(), self.source.clone());
        let Some(passed) = self.passed(call, scope.filter(|_| !around.excluded)) else { return };
        let unknown: BTreeSet<String> = match &call.with.value {
            TemplateValue::Mapping(entries) => {
                entries.iter().map(|(name, _, _)| name.clone()).filter(|name| !passed.contains_key(name)).collect()
            }
            _ => BTreeSet::new(),
        };
        let inputs = match bind_call(call, &passed) {
            Ok(inputs) => inputs,
            Err(problems) => return self.problems.extend(problems),
        };
        let secrets = self.secrets(&name, call, called, &around);
        let mut context = self.context.clone();
        context["inputs"] = inputs.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let job = &mut self.jobs[index];
        job.outputs.clone_from(&called.outputs);
        job.timeout_ms = job.timeout_ms.into_iter().chain(called.timeout_ms).min();
        let inputs = unknown.is_empty().then_some(inputs);
        job.call = Some(Call { call: call.clone(), workflow: arc, inputs, secrets: secrets.clone() });

        let mut chain = around.chain;
        chain.insert(0, format!("called by job `{}` of `{}`", self.jobs[index].local_name(), source.name()));
        let inside = Part { call: Some((name, index)), secrets: Some(secrets), excluded: around.excluded, chain };
        let outer = std::mem::take(&mut self.problems);
        self.source = called.source.clone();
        self.check_sources(called);
        let scope = Scope::new(&context).without_inputs(unknown);
        let scope = self.enter(Some(&scope).filter(|_| !inside.excluded), &called.env);
        self.part(called, &inside, scope.as_ref());
        self.source = source;
        let own = std::mem::replace(&mut self.problems, outer);
        self.tell(own, called, &inside.chain);
    }

    /// The values that the call passes, as far as they are known; `None` if one has no value, which has been told.
    fn passed(&mut self, call: &workflow::Call, scope: Option<&Scope>) -> Option<Map<String, serde_json::Value>> {
        let TemplateValue::Mapping(entries) = &call.with.value else { return Some(Map::new()) };
        let mut values = Map::new();
        for (name, _, template) in entries {
            match scope.filter(|scope| known(scope, &template.expressions())) {
                Some(scope) => {
                    let value = template.evaluate(&scope.context).map_err(|problem| self.problems.push(problem));
                    values.insert(name.clone(), value.ok()?);
                }
                None => values.extend(template.literal().map(|value| (name.clone(), value))),
            }
        }
        Some(values)
    }

    /// Which values steps inside can be granted, by the names that they have there.
    fn secrets(
        &mut self,
        name: &str,
        call: &workflow::Call,
        called: &Workflow,
        around: &Part,
    ) -> BTreeMap<String, String> {
        let mut secrets = BTreeMap::new();
        for (there, here) in &call.secrets {
            let value = match &around.secrets {
                None => Some(here.value.clone()),
                Some(own) => own.get(&here.value).cloned(),
            };
            match value {
                Some(value) => drop(secrets.insert(there.clone(), value)),
                None => self.problems.push(not_passed(&here.value, here.span, "cannot be passed on", around)),
            }
        }
        for (there, source) in called.secrets.iter().filter(|(there, _)| !call.secrets.contains_key(*there)) {
            let value = qualify(Some(name), there);
            self.sources.insert(value.clone(), Spanned { value: source.value.clone(), span: source.span });
            secrets.insert(there.clone(), value);
        }
        secrets
    }

    /// A called workflow has the secrets that it is passed or has a source for, and no others.
    fn check_secrets(&mut self, job: &Job, part: &Part) {
        let Some(own) = &part.secrets else { return };
        let mut told = BTreeSet::new();
        for step in job.all_steps().filter(|step| !step.excluded) {
            for grant in step.at_most.secrets.iter().filter(|grant| !own.contains_key(&grant.name)) {
                if told.insert((&step.id, &grant.name)) {
                    let label = format!("step `{}` is granted it", step.id);
                    self.problems.push(not_passed(&grant.name, step.uses_span, &label, part));
                }
            }
        }
    }
}

fn not_passed(name: &str, at: Span, label: &str, part: &Part) -> Problem {
    Problem::new(codes::SECRET_NOT_PASSED, format!("the secret `{name}` is not passed to this workflow"))
        .at(at, label)
        .help(match &part.call {
            Some((call, _)) => format!(
                "pass it in job `{}` that calls it: `secrets: [{name}]`; or give it a source below `secrets` here",
                call.rsplit(crate::call::SEPARATOR).next().unwrap_or_default()
            ),
            None => String::new(),
        })
}
