//! The plan as JSON: the same plan gives the same bytes.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sluice_model::grant::Capability;
use sluice_model::{Digest, Grants, Kind, Limits, PluginRef};
use sluice_workflow::Template;
use sluice_workflow::template::{Condition, Expression, Piece, TemplateValue};

use crate::plan::{Job, Plan, Step};

impl Plan {
    /// What `sluice plan --json` prints and the record keeps: everything that decides what runs. Holds no secret and no
    /// variable of the host; facts that change with every run (`run`, `git`) are in it only where the workflow uses them.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(PlanView::new(self)).unwrap_or_default()
    }

    /// The digest of the bytes of [`Plan::to_json`].
    pub(crate) fn compute_digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        // Writing into a hasher does not fail, and neither does a view of plain data.
        let _ = serde_json::to_writer(&mut hasher, &PlanView::new(self));
        Digest::from_bytes(hasher.finalize().into())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PlanView<'p> {
    workflow: &'p str,
    file: &'p str,
    inputs: &'p IndexMap<String, Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    requires: Vec<String>,
    jobs: IndexMap<&'p str, JobView<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finally: Option<JobView<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct JobView<'p> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    needs: &'p [String],
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    condition: Option<ConditionView<'p>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    paths: &'p [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unaffected: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    continue_on_error: bool,
    steps: Vec<StepView<'p>>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    outputs: IndexMap<&'p str, TemplateView<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StepView<'p> {
    id: &'p str,
    name: &'p str,
    uses: &'p PluginRef,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    kind: Kind,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    command: bool,
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    condition: Option<ConditionView<'p>>,
    /// Inputs and variables with their final values, or as they stand in the workflow while that is not known.
    inputs: InputsView<'p>,
    #[serde(skip_serializing_if = "EnvView::is_empty")]
    env: EnvView<'p>,
    /// Final, or the most that it can be.
    grants: &'p Grants,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    undecided: &'p [Capability],
    limits: &'p Limits,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_on: Option<sluice_model::finding::FailOn>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    continue_on_error: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    excluded: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'p [String],
}

#[derive(Serialize)]
#[serde(untagged)]
enum InputsView<'p> {
    Final(&'p Value),
    Open(TemplateView<'p>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum EnvView<'p> {
    Final(&'p IndexMap<String, String>),
    Open(IndexMap<&'p str, TemplateView<'p>>),
}

impl EnvView<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Final(env) => env.is_empty(),
            Self::Open(env) => env.is_empty(),
        }
    }
}

/// A template as it stands in the workflow.
struct TemplateView<'p>(&'p Template);

struct ConditionView<'p>(&'p Condition);

impl<'p> PlanView<'p> {
    fn new(plan: &'p Plan) -> Self {
        Self {
            workflow: &plan.workflow,
            file: plan.source.name(),
            inputs: &plan.inputs,
            requires: plan.requires.lines(),
            jobs: plan.jobs.iter().map(|(name, job)| (name.as_str(), JobView::new(plan, job))).collect(),
            finally: plan.finally.as_ref().map(|job| JobView::new(plan, job)),
        }
    }
}

impl<'p> JobView<'p> {
    fn new(plan: &'p Plan, job: &'p Job) -> Self {
        Self {
            needs: &job.needs,
            condition: job.condition.as_ref().map(ConditionView),
            paths: &job.paths,
            unaffected: job.unaffected,
            timeout_ms: job.timeout_ms,
            continue_on_error: job.continue_on_error,
            steps: job.steps.iter().map(|step| StepView::new(plan, job, step)).collect(),
            outputs: templates(&job.outputs).collect(),
        }
    }
}

impl<'p> StepView<'p> {
    fn new(plan: &'p Plan, job: &'p Job, step: &'p Step) -> Self {
        let decided = step.decided.as_ref();
        let open = || templates(&plan.env).chain(templates(&job.env)).chain(templates(&step.env)).collect();
        Self {
            id: &step.id,
            name: &step.name,
            uses: &step.uses,
            digest: step.digest,
            version: step.manifest.as_ref().map(|manifest| manifest.version.to_string()),
            kind: step.kind,
            command: step.command,
            condition: step.condition.as_ref().map(ConditionView),
            inputs: decided
                .map_or(InputsView::Open(TemplateView(&step.with)), |known| InputsView::Final(&known.inputs)),
            env: decided.map_or_else(|| EnvView::Open(open()), |known| EnvView::Final(&known.env)),
            grants: &step.at_most,
            undecided: &step.undecided,
            limits: &step.limits,
            fail_on: step.kind.emits_findings().then_some(step.fail_on),
            continue_on_error: step.continue_on_error,
            excluded: step.excluded,
            notes: &step.notes,
        }
    }
}

fn templates(entries: &IndexMap<String, Template>) -> impl Iterator<Item = (&str, TemplateView<'_>)> {
    entries.iter().map(|(name, template)| (name.as_str(), TemplateView(template)))
}

fn written(expression: &Expression) -> String {
    format!("${{{{ {} }}}}", expression.text)
}

impl Serialize for TemplateView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.value {
            TemplateValue::Literal(value) => value.serialize(serializer),
            TemplateValue::Expression(expression) => serializer.serialize_str(&written(expression)),
            TemplateValue::Text(pieces) => serializer.collect_str(
                &pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(text) => text.clone(),
                        Piece::Expression(expression) => written(expression),
                    })
                    .collect::<String>(),
            ),
            TemplateValue::Sequence(items) => serializer.collect_seq(items.iter().map(TemplateView)),
            TemplateValue::Mapping(entries) => {
                serializer.collect_map(entries.iter().map(|(key, _, value)| (key, TemplateView(value))))
            }
        }
    }
}

impl Serialize for ConditionView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.expression.text)
    }
}
