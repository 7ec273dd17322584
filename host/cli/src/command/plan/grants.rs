//! `sluice plan --grants`: what each step may touch, and why.

use std::fmt::Write;

use serde_json::{Value, json};
use sluice_model::Grants;
use sluice_model::grant::Capability;
use sluice_plan::{Plan, Step};

/// One step of one cell.
struct Held<'p> {
    job: &'p str,
    step: &'p Step,
    grants: Grants,
}

fn held(plan: &Plan) -> Vec<Held<'_>> {
    let cells = plan.all_jobs().filter(|job| !job.unaffected).flat_map(|job| &job.cells);
    let steps = cells.flat_map(|cell| cell.steps.iter().map(move |step| (cell.name.as_str(), step)));
    steps
        .filter(|(_, step)| !step.excluded)
        .flat_map(|(job, step)| step.with_probe().map(move |step| (job, step)))
        .map(|(job, step)| Held { job, step, grants: grants(step) })
        .collect()
}

/// Final, or the most that it can be; of a step with items, those of all of them.
fn grants(step: &Step) -> Grants {
    let items = step.for_each.as_ref().and_then(|for_each| for_each.items.as_ref());
    let mut grants = step.decided.as_ref().map_or_else(|| step.at_most.clone(), |decided| decided.grants.clone());
    for grant in items.into_iter().flatten().flat_map(|(_, decided)| decided.grants.iter()) {
        grants.add(grant);
    }
    grants
}

impl Held<'_> {
    fn is_open(&self) -> bool {
        !self.step.undecided.is_empty() || !self.step.at_services.is_empty()
    }

    fn reason(&self, capability: Capability) -> Option<&str> {
        let declared = self.step.manifest.as_ref().map(|manifest| &manifest.capabilities).into_iter().flatten();
        declared.filter(|own| own.capability == capability).map(|own| own.reason.as_str()).next()
    }

    /// Where a capability comes from, for people.
    fn origin(&self, capability: Capability) -> String {
        let named = self.step.narrows.contains(&capability);
        match self.reason(capability) {
            Some(reason) if named => format!("declared: {reason}; narrowed by the step's `grants`"),
            Some(reason) => format!("declared: {reason}"),
            None => "the step's `grants`".to_owned(),
        }
    }

    /// Capability, spelling, origin.
    fn rows(&self) -> Vec<(String, String, String)> {
        let mut rows = Vec::new();
        for capability in Capability::ALL {
            let spellings = self.grants.spellings(capability);
            if spellings.is_empty() && self.step.narrows.contains(&capability) {
                rows.push((capability.to_string(), "nothing".to_owned(), self.origin(capability)));
            }
            rows.extend(spellings.into_iter().map(|grant| (capability.to_string(), grant, self.origin(capability))));
        }
        for grant in &self.step.at_services {
            if let Some((capability, spelling)) = grant.split_once(": ") {
                let origin =
                    Capability::parse(capability).map_or_else(String::new, |capability| self.origin(capability));
                rows.push((capability.to_owned(), spelling.to_owned(), origin));
            }
        }
        rows
    }
}

pub fn text(plan: &Plan) -> String {
    let steps = held(plan);
    let rows: Vec<_> = steps.iter().map(Held::rows).collect();
    let width = |of: fn(&(String, String, String)) -> &String| {
        rows.iter().flatten().map(|row| of(row).chars().count()).max().unwrap_or_default()
    };
    let (capability_width, grant_width) = (width(|row| &row.0), width(|row| &row.1));
    let mut text = String::new();
    for (held, rows) in steps.iter().zip(rows) {
        let Held { job, step, .. } = held;
        let open = if held.is_open() { "  at most" } else { "" };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{job}/{}  {} {}{open}", step.id, step.uses, step.digest.short());
        if rows.is_empty() {
            let _ = writeln!(text, "  nothing");
        }
        for (capability, grant, origin) in rows {
            let _ = writeln!(text, "  {capability:<capability_width$}  {grant:<grant_width$}  {origin}");
        }
    }
    text
}

/// `{plan, steps: [{job, step, uses, digest, at-most, grants: [{capability, grant, declared, narrowed}]}]}`; a `grant` of
/// null is a capability of which nothing is left.
pub fn json(plan: &Plan) -> Value {
    let step = |held: &Held<'_>| {
        let grants: Vec<Value> = held
            .rows()
            .into_iter()
            .map(|(capability, grant, _)| {
                let parsed = Capability::parse(&capability);
                let declared = parsed.and_then(|capability| held.reason(capability));
                let narrowed = parsed.is_some_and(|capability| held.step.narrows.contains(&capability));
                let grant = (grant != "nothing").then_some(grant);
                json!({ "capability": capability, "grant": grant, "declared": declared, "narrowed": narrowed })
            })
            .collect();
        let Held { job, step, .. } = held;
        json!({
            "job": job, "step": step.id, "uses": step.uses, "digest": step.digest, "at-most": held.is_open(),
            "grants": grants,
        })
    };
    json!({ "plan": plan.digest, "steps": held(plan).iter().map(step).collect::<Vec<_>>() })
}
