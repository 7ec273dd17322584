//! A decision against a step, as people read it.

use sluice_model::{Grants, PluginRef, Problem, SecretSource};
use sluice_workflow::workflow::Spanned;

use super::{Candidate, Decision, Policies, Subject, Verdict};
use crate::codes;
use crate::plan::Step;

impl Policies {
    /// Why a step may not use its plugin, at its place in the workflow.
    pub(crate) fn refuses_plugin(&self, step: &Step) -> Option<Problem> {
        let problem = self.refusal(&format!("step `{}`", step.id), &self.plugin(&step.candidate()))?;
        Some(problem.at(step.uses_span, "a plugin that may not run"))
    }

    /// Why a step may not get some of these grants, at its place in the workflow.
    pub(crate) fn refuses_grants(&self, step: &Step, grants: &Grants) -> Vec<Problem> {
        if self.layers().is_empty() {
            return Vec::new();
        }
        let whose = format!("step `{}`", step.id);
        let candidate = step.candidate();
        let refused = grants.iter().filter_map(|grant| self.refusal(&whose, &self.grant(&candidate, &grant)));
        refused.map(|problem| problem.at(step.uses_span, "gets more than it may")).collect()
    }

    /// Why the value of a secret may not come from where the workflow says.
    pub(crate) fn refuses_source(&self, name: &str, source: &Spanned<SecretSource>) -> Option<Problem> {
        let SecretSource::Command(words) = &source.value else { return None };
        let problem = self.refusal(&format!("the secret `{name}`"), &self.program(words.first()?))?;
        Some(problem.at(source.span, "a program gives its value"))
    }

    /// Why a recorded step may not run again with its plugin and its grants. `whose` names it.
    pub fn refuses_recorded(&self, whose: &str, candidate: &Candidate<'_>, grants: &Grants) -> Vec<Problem> {
        let grants = grants.iter().map(|grant| self.grant(candidate, &grant));
        let decisions = std::iter::once(self.plugin(candidate)).chain(grants);
        decisions.filter_map(|decision| self.refusal(whose, &decision)).collect()
    }

    /// Why programs may not run unconfined, if somebody asks for that.
    pub fn refuses_unconfined(&self) -> Option<Problem> {
        self.refusal("this run", &self.unconfined())
    }

    fn refusal(&self, whose: &str, decision: &Decision) -> Option<Problem> {
        if decision.is_allowed() {
            return None;
        }
        let message = match &decision.subject {
            Subject::Plugin(reference) => {
                format!("{whose} uses the plugin `{reference}`, which the policy does not permit")
            }
            Subject::Grant(_) => format!("{whose} gets `{}`, which the policy does not permit", decision.subject),
            Subject::Program(program) => {
                format!("{whose} comes from the program `{program}`, which the policy does not permit")
            }
            Subject::Unconfined => format!("{whose} would leave programs unconfined, which the policy does not permit"),
        };
        let mut problem = Problem::new(codes::POLICY, message);
        let mut remedies = Vec::new();
        for ruling in &decision.rulings {
            let (Verdict::Refused { reason, remedy, span }, Some(layer)) =
                (&ruling.verdict, self.layers().get(ruling.layer))
            else {
                continue;
            };
            problem.causes.push(format!("{} {reason}", layer.place(*span)));
            remedies.push(format!("{remedy} in `{}`", layer.source.name()));
        }
        let wanted = match decision.subject {
            Subject::Plugin(_) => "if it should run",
            Subject::Grant(_) => "if it should have that",
            Subject::Program(_) => "if it should come from there",
            Subject::Unconfined => "if they should",
        };
        Some(problem.help(format!("{wanted}: {}", remedies.join(", and "))))
    }
}

impl Step {
    /// What policies ask of its plugin.
    pub fn candidate(&self) -> Candidate<'_> {
        let reference: &PluginRef = &self.uses;
        Candidate { reference, digest: self.digest }
    }
}
