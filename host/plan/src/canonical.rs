//! The plan as JSON: the same plan gives the same bytes.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sluice_model::grant::Capability;
use sluice_model::{Digest, FailureKind, Grants, Kind, Limits, PluginRef, SecretSource};
use sluice_workflow::Template;
use sluice_workflow::background::Port;
use sluice_workflow::template::{Condition, Expression, Piece, TemplateValue};
use sluice_workflow::workflow::{Flag, Retry, Symptom};

use crate::approval::{self, ApprovalView, GateView};
use crate::call::Call;
use crate::plan::{Background, Cell, Concurrency, Decided, Job, Plan, Step, When};

impl Plan {
    /// What `sluice plan --json` prints and the record keeps: everything that decides what runs. Holds no secret and no
    /// variable of the host; facts that change with every run (`run`, `git`) are in it only where the workflow uses them.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(PlanView::new(self)).unwrap_or_default()
    }

    /// [`Plan::to_json`] as text on one line, without the detour.
    pub fn json_line(&self) -> Vec<u8> {
        // Writing to memory does not fail, and neither does a view of plain data.
        serde_json::to_vec(&PlanView::new(self)).unwrap_or_default()
    }

    /// [`Plan::to_json`] as text for people, without the detour.
    pub fn json_text(&self) -> String {
        serde_json::to_string_pretty(&PlanView::new(self)).unwrap_or_default()
    }

    /// The digest of the bytes of [`Plan::json_line`].
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
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    secrets: IndexMap<&'p str, &'p SecretSource>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    requires: Vec<String>,
    /// Of what the policies say.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<ConcurrencyView<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_parallel: Option<NonZeroUsize>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fail_fast: bool,
    jobs: IndexMap<&'p str, JobView<'p>>,
    /// By name: `on-failure`, `finally`.
    #[serde(flatten)]
    hooks: IndexMap<&'p str, JobView<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ConcurrencyView<'p> {
    group: &'p str,
    when_busy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_timeout_ms: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct JobView<'p> {
    /// The file that it calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<&'p str>,
    /// Inputs of the called workflow, final if they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<InputsView<'p>>,
    /// Names of its secrets -> names in [`PlanView::secrets`], or of the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<&'p BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'p str>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_on_error: Option<FlagView<'p>>,
    /// As it stands in the workflow, while only the run knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    matrix: Option<TemplateView<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_parallel: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_fast: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalView<'p>>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    checklist: IndexMap<&'p str, GateView<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<StepView<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cells: Vec<CellView<'p>>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    outputs: IndexMap<&'p str, TemplateView<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct CellView<'p> {
    name: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'p str>,
    matrix: &'p Value,
    /// If it is not the same for all cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_on_error: Option<bool>,
    steps: Vec<StepView<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ItemView<'p> {
    item: &'p Value,
    inputs: &'p Value,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    env: &'p IndexMap<String, String>,
    grants: &'p Grants,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RetryView {
    attempts: u32,
    delay_ms: u64,
    factor: f64,
    max_delay_ms: u64,
    jitter: bool,
    on: Vec<RetryOn>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RetryOn {
    Kind(FailureKind),
    Symptom(SymptomView),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct SymptomView {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exit_code: Vec<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    message: Vec<String>,
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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    at_services: &'p [String],
    limits: &'p Limits,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_on: Option<sluice_model::finding::FailOn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<RetryView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    for_each: Option<TemplateView<'p>>,
    /// If they are known; inputs and grants above are then those of no item, and of all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemView<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_parallel: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_fast: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_on_error: Option<FlagView<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    background: Option<BackgroundView<'p>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    excluded: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'p [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct BackgroundView<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<PortView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<ReadyView<'p>>,
    stop_timeout_ms: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PortView {
    Auto(&'static str),
    Fixed(u16),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ReadyView<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Box<StepView<'p>>>,
    timeout_ms: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum InputsView<'p> {
    Final(&'p Value),
    Named(&'p IndexMap<String, Value>),
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

#[derive(Serialize)]
#[serde(untagged)]
enum FlagView<'p> {
    Known(bool),
    Asked(ConditionView<'p>),
}

impl<'p> FlagView<'p> {
    /// `None` for one that does not hold.
    fn new(flag: &'p Flag) -> Option<Self> {
        match flag {
            Flag::Known(false) => None,
            Flag::Known(true) => Some(Self::Known(true)),
            Flag::Asked(condition) => Some(Self::Asked(ConditionView(condition))),
        }
    }
}

/// A template as it stands in the workflow.
pub struct TemplateView<'p>(pub &'p Template);

pub struct ConditionView<'p>(pub &'p Condition);

impl<'p> PlanView<'p> {
    fn new(plan: &'p Plan) -> Self {
        Self {
            workflow: &plan.workflow,
            file: plan.source.name(),
            inputs: &plan.inputs,
            secrets: plan.secrets.iter().map(|(name, source)| (name.as_str(), &source.value)).collect(),
            requires: plan.requirements().into_iter().flat_map(|(_, requires)| requires.lines()).collect(),
            policy: plan.policies.digest(),
            concurrency: plan.concurrency.as_ref().map(ConcurrencyView::new),
            jobs: plan.jobs.iter().map(|(name, job)| (name.as_str(), JobView::new(plan, job))).collect(),
            timeout_ms: plan.timeout_ms,
            max_parallel: plan.max_parallel,
            fail_fast: plan.fail_fast,
            hooks: plan.hooks.iter().map(|(hook, job)| (hook.name(), JobView::new(plan, job))).collect(),
        }
    }
}

impl<'p> ConcurrencyView<'p> {
    fn new(concurrency: &'p Concurrency) -> Self {
        let (when_busy, wait_timeout_ms) = (concurrency.when_busy.as_str(), concurrency.wait_timeout_ms);
        Self { group: &concurrency.group, when_busy, wait_timeout_ms }
    }
}

impl<'p> JobView<'p> {
    fn new(plan: &'p Plan, job: &'p Job) -> Self {
        let steps = |cell: &'p Cell| cell.steps.iter().map(|step| StepView::new(plan, job, step)).collect();
        let plain = job.cells.iter().all(|cell| cell.matrix.is_none());
        let spread = !plain || job.matrix.is_some() || job.cells.is_empty();
        let cells = job.cells.iter().filter_map(|cell| {
            let continue_on_error = match (&job.continue_on_error, &cell.continue_on_error) {
                (Flag::Asked(_), Flag::Known(known)) => Some(*known),
                _ => None,
            };
            let matrix = cell.matrix.as_ref()?;
            let (name, title) = (&cell.name, cell.title.as_deref());
            Some(CellView { name, title, matrix, continue_on_error, steps: steps(cell) })
        });
        let call = job.call.as_ref();
        let with = |call: &'p Call| match &call.inputs {
            Some(inputs) => InputsView::Named(inputs),
            None => InputsView::Open(TemplateView(&call.call.with)),
        };
        let ends_inside = call.filter(|call| call.workflow.fail_fast).map(|_| true);
        Self {
            uses: call.map(|call| call.workflow.source.name()),
            with: call.map(with),
            secrets: call.map(|call| &call.secrets).filter(|secrets| !secrets.is_empty()),
            title: job.cells.first().filter(|_| plain).and_then(|cell| cell.title.as_deref()),
            needs: &job.needs,
            condition: job.condition.as_ref().map(ConditionView),
            paths: &job.paths,
            unaffected: job.unaffected,
            timeout_ms: job.timeout_ms,
            continue_on_error: FlagView::new(
                job.cells.first().filter(|_| plain).map_or(&job.continue_on_error, |cell| &cell.continue_on_error),
            ),
            matrix: job.matrix.as_ref().map(TemplateView),
            max_parallel: (job.max_parallel < usize::MAX).then_some(job.max_parallel),
            fail_fast: spread.then_some(job.fail_fast).or(ends_inside),
            approval: job.approval.as_ref().map(ApprovalView::new),
            checklist: approval::gates(&job.checklist),
            steps: job.cells.first().filter(|_| plain).map(steps).unwrap_or_default(),
            cells: cells.collect(),
            outputs: templates(&job.outputs).collect(),
        }
    }
}

impl<'p> StepView<'p> {
    fn new(plan: &'p Plan, job: &'p Job, step: &'p Step) -> Self {
        let decided = step.decided.as_ref();
        let items = step.for_each.as_ref().and_then(|for_each| for_each.items.as_deref()).unwrap_or_default();
        let open = || templates(plan.env_around(job)).chain(templates(&job.env)).chain(templates(&step.env)).collect();
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
            at_services: &step.at_services,
            limits: &step.limits,
            fail_on: step.kind.emits_findings().then_some(step.fail_on),
            retry: step.retry.as_ref().map(RetryView::new),
            for_each: step.for_each.as_ref().map(|for_each| TemplateView(&for_each.list)),
            items: items.iter().map(ItemView::new).collect(),
            max_parallel: step.for_each.as_ref().map(|_| step.max_parallel),
            fail_fast: step.for_each.as_ref().map(|_| step.fail_fast),
            continue_on_error: FlagView::new(&step.continue_on_error),
            background: step.background.as_ref().map(|background| BackgroundView::new(plan, job, background)),
            excluded: step.excluded,
            notes: &step.notes,
        }
    }
}

impl<'p> BackgroundView<'p> {
    fn new(plan: &'p Plan, job: &'p Job, background: &'p Background) -> Self {
        let port = background.port.map(|port| match port {
            Port::Auto => PortView::Auto("auto"),
            Port::Fixed(port) => PortView::Fixed(port),
        });
        let ready = background.ready.as_ref().map(|ready| {
            let (log, step) = match &ready.when {
                When::Says(pattern) => (Some(pattern.as_str()), None),
                When::Passes(step) => (None, Some(Box::new(StepView::new(plan, job, step)))),
            };
            ReadyView { log, step, timeout_ms: ready.timeout_ms }
        });
        Self { port, ready, stop_timeout_ms: background.stop_timeout_ms }
    }
}

impl<'p> ItemView<'p> {
    fn new((item, decided): &'p (Value, Decided)) -> Self {
        Self { item, inputs: &decided.inputs, env: &decided.env, grants: &decided.grants }
    }
}

impl RetryView {
    fn new(retry: &Retry) -> Self {
        let Retry { attempts, delay_ms, factor, max_delay_ms, jitter, on, symptoms } = retry.clone();
        let symptom = |own: Symptom| SymptomView { exit_code: own.exit_codes, message: own.messages };
        let symptoms = symptoms.into_iter().map(|own| RetryOn::Symptom(symptom(own)));
        let on = on.into_iter().map(RetryOn::Kind).chain(symptoms).collect();
        Self { attempts, delay_ms, factor, max_delay_ms, jitter, on }
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
