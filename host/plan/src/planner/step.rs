//! One step of a workflow -> one step of the plan.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sluice_model::finding::FailOn;
use sluice_model::grant::{Capability, Grant};
use sluice_model::suggest::list;
use sluice_model::{Grants, Kind, Limits, Problem};
use sluice_workflow::template::TemplateValue;
use sluice_workflow::{Template, workflow};

use super::services::Ports;
use super::{Planner, known, notes};
use crate::plan::{ForEach, Step};
use crate::scope::Scope;
use crate::{codes, decide, for_each, grants, seen};

impl<'w> Planner<'w> {
    /// `scope` is the job's, `None` if it depends on the run; `excluded` says that the job does not run. `None` if the
    /// plugin cannot be used.
    pub(super) fn step(
        &mut self,
        step: &'w workflow::Step,
        scope: Option<&Scope>,
        excluded: bool,
        ports: &Ports,
    ) -> Option<Step> {
        let first = self.problems.len();
        let plugin = self.plugin(&step.uses.value, step.uses.span)?;
        let mut planned = Step {
            id: step.id.clone(),
            name: step.name.text.clone(),
            source: self.source.clone(),
            open_name: step.name.template.clone(),
            span: step.span,
            uses: step.uses.value.clone(),
            uses_span: step.uses.span,
            digest: plugin.digest,
            kind: plugin.kind,
            command: plugin.command,
            condition: step.condition.clone(),
            env: step.env.clone(),
            with: step.with.clone(),
            decided: None,
            manifest: plugin.manifest.clone(),
            at_most: Grants::default(),
            narrowed: Grants::default(),
            narrows: step.grants.keys().copied().collect(),
            undecided: Vec::new(),
            at_services: Vec::new(),
            limits: limits(step),
            fail_on: step.fail_on.unwrap_or(default_fail_on(plugin.kind)),
            retry: step.retry.clone(),
            for_each: step.for_each.clone().map(|list| ForEach { list, items: None }),
            max_parallel: step.max_parallel.get(),
            fail_fast: step.fail_fast,
            continue_on_error: step.continue_on_error.clone(),
            background: None,
            excluded: false,
            notes: Vec::new(),
            policies: self.policies.clone(),
            plugin,
        };
        if step.fail_on.is_some() && !planned.kind.emits_findings() {
            self.problems.push(
                Problem::new(
                    codes::NO_FINDINGS,
                    format!("step `{}` has `fail-on`, but its plugin reports no findings", step.id),
                )
                .at(step.uses.span, format!("a plugin of the kind `{}`", planned.kind))
                .help("remove `fail-on`"),
            );
        }
        planned.narrowed = self.narrowed(step);
        let inner = self.enter(scope, &step.env);
        // The condition of a step with items is asked once, before there are any.
        let asked_in = if step.for_each.is_some() { scope } else { inner.as_ref() };
        let condition =
            step.condition.as_ref().filter(|condition| !ports.show_in(Some(step), &[&condition.expression]));
        planned.excluded = excluded || self.is_excluded(condition, asked_in);
        if step.for_each.is_none() {
            let read = step.name.template.iter().flat_map(|template| template.expressions()).collect::<Vec<_>>();
            let known_in = inner.as_ref().filter(|_| !ports.show_in(Some(step), &read));
            let (name, open_name) = self.title(&step.name, known_in, planned.excluded);
            planned.name = name.unwrap_or_default();
            planned.open_name = open_name;
        }
        if step.for_each.is_none() && !planned.excluded {
            let read: Vec<_> = step.continue_on_error.expression().into_iter().collect();
            let known_in = inner.as_ref().filter(|_| !ports.show_in(Some(step), &read));
            planned.continue_on_error = self.flag(&step.continue_on_error, known_in);
        }
        let items = match &step.for_each {
            Some(list) if !planned.excluded => scope.and_then(|scope| self.items(step, list, scope)),
            _ => None,
        };
        if !planned.excluded {
            self.problems.extend(planned.policies.refuses_plugin(&planned));
        }
        match inner.clone() {
            _ if planned.excluded => self.check_excluded(&planned),
            _ if items.is_some() => self.decide_items(step, &mut planned, items.unwrap_or_default()),
            Some(scope) if step.for_each.is_none() && known(&scope, &step.with.expressions()) => {
                self.decide(step, &mut planned, &scope);
            }
            scope => self.check_known(step, &mut planned, scope.as_ref()),
        }
        planned.background = self.background(step, &planned, inner.as_ref(), ports);
        self.open_ports(step, &mut planned, ports, first);
        planned.notes = notes::notes(&planned, &self.facts);
        planned.notes.extend(seen::notes(&planned));
        Some(planned)
    }

    fn narrowed(&mut self, step: &workflow::Step) -> Grants {
        let mut narrowed = Grants::default();
        for (capability, spellings) in &step.grants {
            for spelling in spellings {
                match Grant::parse(*capability, &spelling.value) {
                    Ok(grant) => narrowed.add(grant),
                    Err(reason) => self.problems.push(
                        Problem::new(codes::BAD_GRANT, format!("`{}` is no grant of `{capability}`", spelling.value))
                            .at(spelling.span, reason),
                    ),
                }
            }
        }
        narrowed
    }

    /// Everything is known: decides inputs and grants for good.
    fn decide(&mut self, step: &workflow::Step, planned: &mut Step, scope: &Scope) {
        let decided = step.with.evaluate(&scope.context).map_err(|problem| vec![problem]);
        match decided.and_then(|with| decide::settle(planned, with, scope.env().clone())) {
            Ok(decided) => {
                if !step.grants.is_empty()
                    && let Ok(declaration) = grants::declared(planned, &decided.inputs, &BTreeSet::new())
                {
                    self.check_narrowed(step, planned, &declaration);
                }
                planned.at_most = decided.grants.clone();
                planned.decided = Some(decided);
            }
            Err(problems) => self.problems.extend(problems),
        }
    }

    /// The items of a step, each with its scope; `None` if not everything that they need is known, or a problem has been
    /// told.
    fn items(&mut self, step: &workflow::Step, list: &Template, scope: &Scope) -> Option<Vec<(Value, Scope)>> {
        if !known(scope, &list.expressions()) {
            return None;
        }
        let value = list.evaluate(&scope.context).map_err(|problem| self.problems.push(problem)).ok()?;
        let items = list_of(value, step, list).map_err(|problem| self.problems.push(problem)).ok()?;
        let mut scoped = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let scope = self.enter(Some(&scope.with_item(index, &item)), &step.env)?;
            if !known(&scope, &step.with.expressions()) {
                return None;
            }
            scoped.push((item, scope));
        }
        Some(scoped)
    }

    fn decide_items(&mut self, step: &workflow::Step, planned: &mut Step, items: Vec<(Value, Scope)>) {
        let mut decided = Vec::with_capacity(items.len());
        for (item, scope) in items {
            let before = self.problems.len();
            self.decide(step, planned, &scope);
            // The same mistake in every item is told once.
            if self.problems.len() > before {
                return;
            }
            decided.extend(planned.decided.take().map(|inputs| (item, inputs)));
        }
        planned.at_most = Grants::default();
        for grant in decided.iter().flat_map(|(_, decided)| decided.grants.iter()) {
            planned.at_most.add(grant);
        }
        if let Some(for_each) = &mut planned.for_each {
            for_each.items = Some(decided);
        }
    }

    /// The step does not run: only what stands in the workflow as it is can be wrong.
    fn check_excluded(&mut self, planned: &Step) {
        let TemplateValue::Mapping(entries) = &planned.with.value else { return };
        let names: Vec<&str> = entries.iter().map(|(name, _, _)| name.as_str()).collect();
        let literals = entries.iter().filter_map(|(name, _, value)| Some((name.clone(), value.literal()?))).collect();
        self.problems.extend(planned.plugin.inputs.check_known(planned, &names, &literals));
    }

    /// Something is known only when the step starts: checks the rest, so that as little as possible fails then.
    fn check_known(&mut self, step: &workflow::Step, planned: &mut Step, scope: Option<&Scope>) {
        let TemplateValue::Mapping(entries) = &step.with.value else { return };
        let names: Vec<&str> = entries.iter().map(|(name, _, _)| name.as_str()).collect();
        let mut values = Map::new();
        for (name, _, template) in entries {
            match scope.filter(|scope| known(scope, &template.expressions())) {
                Some(scope) => match template.evaluate(&scope.context) {
                    Ok(value) => drop(values.insert(name.clone(), value)),
                    Err(problem) => self.problems.push(problem),
                },
                None => values.extend(template.literal().map(|value| (name.clone(), value))),
            }
        }
        let unknown: BTreeSet<&str> = names.iter().copied().filter(|name| !values.contains_key(*name)).collect();
        let problems = planned.plugin.inputs.check_known(planned, &names, &values);
        if !problems.is_empty() {
            return self.problems.extend(problems);
        }
        let mut values = Value::Object(values);
        planned.plugin.inputs.fill(&mut values);
        match grants::declared(planned, &values, &unknown) {
            Ok(declaration) => {
                self.check_narrowed(step, planned, &declaration);
                self.problems.extend(seen::unconfirmed(planned, &declaration.grants));
                for capability in &declaration.undecided {
                    if !planned.narrows.contains(capability) {
                        self.problems.push(undecided(planned, *capability, &declaration.grants, &unknown));
                    }
                }
                planned.at_most = grants::effective(planned, &declaration.grants);
                for grant in planned.narrowed.iter().filter(|grant| declaration.undecided.contains(&grant.capability()))
                {
                    planned.at_most.add(grant);
                }
                planned.undecided = declaration.undecided.into_iter().collect();
                self.problems.extend(planned.policies.refuses_grants(planned, &planned.at_most));
            }
            Err(problems) => self.problems.extend(problems),
        }
    }

    /// A step's `grants` only narrow.
    fn check_narrowed(&mut self, step: &workflow::Step, planned: &Step, declaration: &grants::Declaration) {
        if planned.plugin.declared.is_none() {
            return;
        }
        let plugin = planned.plugin.name();
        for (capability, spellings) in
            step.grants.iter().filter(|(capability, _)| !declaration.undecided.contains(*capability))
        {
            for spelling in spellings {
                let Ok(grant) = Grant::parse(*capability, &spelling.value) else { continue };
                if declaration.grants.covers(&grant) {
                    continue;
                }
                let declared = declaration.grants.spellings(*capability);
                let help = match declared.as_slice() {
                    [] => format!(
                        "it declares no `{capability}` for these inputs; `grants` only narrow what a plugin declares"
                    ),
                    declared => format!(
                        "for these inputs it declares {} of `{capability}`; `grants` only narrow that",
                        list(declared.iter().map(String::as_str))
                    ),
                };
                self.problems.push(
                    Problem::new(
                        codes::GRANT_EXCEEDS,
                        format!(
                            "step `{}` grants `{}`, which is more than plugin `{plugin}` declares",
                            step.id, spelling.value
                        ),
                    )
                    .at(spelling.span, "not covered by what it declares")
                    .help(help),
                );
            }
        }
    }
}

/// The items of a list.
///
/// # Errors
/// If it is no list, or too long.
fn list_of(value: Value, step: &workflow::Step, list: &Template) -> Result<Vec<Value>, Problem> {
    for_each::items(value).map_err(|reason| {
        Problem::new(codes::ITEMS, format!("`for-each` of step `{}` {reason}", step.id))
            .at(list.span, "no list of items")
    })
}

fn undecided(step: &Step, capability: Capability, decided: &Grants, unknown: &BTreeSet<&str>) -> Problem {
    let example = grants::example(step, capability, decided, unknown).join("\", \"");
    Problem::new(
        codes::UNDECIDED_GRANT,
        format!("what step `{}` may touch with `{capability}` would be known only when it runs", step.id),
    )
    .at(grants::deciding_span(step, capability, unknown), "this value decides it")
    .help(format!("say in the step what it may touch at most:\n    grants:\n      {capability}: [\"{example}\"]"))
}

fn default_fail_on(kind: Kind) -> FailOn {
    match kind {
        Kind::Scan => FailOn::Warning,
        Kind::Lint => FailOn::Error,
        Kind::Build | Kind::Deploy | Kind::Notify | Kind::Task => FailOn::Never,
    }
}

fn limits(step: &workflow::Step) -> Limits {
    let defaults = Limits::default();
    let own = &step.limits;
    Limits {
        time_ms: match &step.background {
            Some(_) => Limits::ENDLESS_MS,
            None => step.timeout_ms.unwrap_or(defaults.time_ms),
        },
        memory_bytes: own.memory_bytes.unwrap_or(defaults.memory_bytes),
        table_elements: own.table_elements.unwrap_or(defaults.table_elements),
        handles: own.handles.unwrap_or(defaults.handles),
        disk_bytes: own.disk_bytes.unwrap_or(defaults.disk_bytes),
        output_bytes: own.output_bytes.unwrap_or(defaults.output_bytes),
    }
}
