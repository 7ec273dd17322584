//! The values of secrets, fetched once, before anything runs.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sluice_capability_secrets_providers::{Fetched, Machine, Reason, fetch, usable};
use sluice_engine::{SHORTEST_SECRET, SecretValues};
use sluice_model::suggest::closest;
use sluice_model::{Problem, SecretSource, Source};
use sluice_plan::{Plan, SEPARATOR};
use tokio::runtime::Runtime;

use crate::output::Output;
use crate::signals::Signals;
use crate::terminal::{Answer, Terminal};

const PREFIX: &str = "SLUICE_SECRET_";

/// Why a run cannot have its secrets.
pub enum Unavailable {
    Refused(Vec<Problem>),
    /// Somebody ended the program meanwhile; the exit code that stands for that.
    Signal(u8),
}

/// The variable that goes before every other source of a secret.
pub fn variable(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// The environment without values of secrets: a step gets them by grant of a secret, not of a variable.
pub fn environment_without_secrets() -> HashMap<String, String> {
    environment().into_iter().filter(|(name, _)| !name.starts_with(PREFIX)).collect()
}

fn environment() -> HashMap<String, String> {
    // A variable that is not UTF-8 can be nobody's secret and no grant.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The values of the environment, and of what steps of the plan are granted beyond that.
pub fn for_plan(
    plan: &Plan,
    workspace: &Path,
    runtime: &Runtime,
    signals: &mut Signals,
    output: &Output,
) -> Result<SecretValues, Unavailable> {
    let mut values = set();
    let granted = plan.granted_secrets();
    let missing = |name: &str| !values.contains_key(name);
    let wanted = granted.keys().filter(|name| missing(name));
    let wanted = wanted.filter_map(|name| Some(((*name).to_owned(), plan.secrets.get(*name)?.value.clone()))).collect();
    let without = granted.iter().filter(|(name, _)| missing(name) && !plan.secrets.contains_key(**name));
    let mut problems: Vec<Problem> = match own(plan).next() {
        // Such a step fails when it uses the secret.
        None => Vec::new(),
        Some(_) => without.map(|(name, steps)| without_source(name, steps, plan)).collect(),
    };
    for (name, fetched) in obtain(wanted, problems.is_empty(), workspace, runtime, signals)? {
        match fetched {
            Ok(value) => drop(values.insert(name, value)),
            Err(reason) => {
                let (source, file) = (&plan.secrets[&name], plan.file_of_secret(&name));
                let problem = refused(&name, &source.value, reason).at(source.span, "its value would come from here");
                let steps = granted.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
                problems.push(granted_to(problem, steps, file));
            }
        }
    }
    if !problems.is_empty() {
        problems.sort_by_key(Problem::position);
        return Err(Unavailable::Refused(problems));
    }
    let short = granted.keys().filter(|name| values.get(**name).is_some_and(|value| value.len() < SHORTEST_SECRET));
    let short: Vec<Problem> = short.map(|name| too_short(name)).collect();
    if !short.is_empty() {
        output.problems(&short);
    }
    Ok(values.into_iter().collect())
}

/// The values of the environment, and beyond that of secrets that recorded steps were granted.
pub fn for_record(
    sources: &BTreeMap<String, SecretSource>,
    granted: impl Iterator<Item = String>,
    workspace: &Path,
    runtime: &Runtime,
    signals: &mut Signals,
) -> Result<SecretValues, Unavailable> {
    let mut values = set();
    let granted = granted.filter(|name| !values.contains_key(name));
    let wanted: BTreeMap<_, _> = granted.filter_map(|name| sources.get_key_value(&name)).collect();
    let wanted = wanted.into_iter().map(|(name, source)| (name.clone(), source.clone())).collect();
    let mut problems = Vec::new();
    for (name, fetched) in obtain(wanted, true, workspace, runtime, signals)? {
        match fetched {
            Ok(value) => drop(values.insert(name, value)),
            Err(reason) => problems.push(refused(&name, &sources[&name], reason)),
        }
    }
    if problems.is_empty() { Ok(values.into_iter().collect()) } else { Err(Unavailable::Refused(problems)) }
}

/// `SLUICE_SECRET_TOKEN=x` makes the secret `TOKEN`. In CI, one that is missing is often set to nothing.
fn set() -> BTreeMap<String, String> {
    let named =
        environment().into_iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)));
    named.filter(|(_, value)| !value.is_empty()).collect()
}

/// Asks all sources. Somebody is asked at the terminal last, and only if `ask` holds and nothing else is missing, so that
/// nobody types for nothing.
fn obtain(
    wanted: Vec<(String, SecretSource)>,
    ask: bool,
    workspace: &Path,
    runtime: &Runtime,
    signals: &mut Signals,
) -> Result<Vec<(String, Fetched)>, Unavailable> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let is_prompt = |source: &SecretSource| matches!(source, SecretSource::Prompt(_));
    let terminal = wanted.iter().any(|(_, source)| is_prompt(source)).then(Terminal::open).flatten();
    // Without a terminal, the fetching says so.
    let (prompts, wanted): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|(_, source)| terminal.is_some() && is_prompt(source));
    let machine = Machine { env: environment(), workspace: workspace.to_owned() };
    runtime.block_on(async {
        let mut fetched = tokio::select! {
            fetched = fetch(wanted, &machine) => fetched,
            code = signals.next() => return Err(Unavailable::Signal(code)),
        };
        if let Some(terminal) = terminal
            && ask
            && fetched.iter().all(|(_, value)| value.is_ok())
        {
            for (name, source) in prompts {
                let SecretSource::Prompt(text) = source else { continue };
                let question = format!("{text} (secret {name}): ");
                let answer = tokio::select! {
                    answer = terminal.ask(&question) => answer,
                    code = signals.next() => return Err(Unavailable::Signal(code)),
                };
                let value = match answer {
                    Answer::Text(text) => usable(text),
                    Answer::Interrupt => return Err(Unavailable::Signal(crate::exit::INTERRUPTED)),
                    Answer::Failed(why) => Err(Reason { causes: vec![why], help: None }),
                };
                fetched.push((name, value));
            }
        }
        Ok(fetched)
    })
}

fn refused(name: &str, source: &SecretSource, reason: Reason) -> Problem {
    let problem =
        Problem::new("run::secret", format!("the value of secret `{name}` cannot be had from {}", source.kind()));
    let problem = reason.causes.into_iter().fold(problem, Problem::cause);
    let instead = match name.rsplit_once(SEPARATOR) {
        None => format!("or give the value yourself: {}=...", variable(name)),
        Some((call, name)) => format!("or pass it to the called workflow, in job `{call}`: secrets: {{{name}: ...}}"),
    };
    problem.help(match reason.help {
        Some(help) => format!("{help}\n{instead}"),
        None => instead[3..].to_owned(),
    })
}

fn without_source(name: &str, steps: &[&sluice_plan::Step], plan: &Plan) -> Problem {
    let message = format!("nothing says where the value of secret `{name}` comes from");
    let problem = Problem::new("run::secret-without-source", message);
    let file = steps.first().map_or(&plan.source, |step| &step.source);
    granted_to(problem, steps, file).help(match closest(name, own(plan)) {
        Some(similar) => format!("a secret with a similar name has a source: `{similar}`"),
        None => format!("add `{name}` to `secrets`, or set {}", variable(name)),
    })
}

/// Secrets that the outermost workflow has a source for.
fn own(plan: &Plan) -> impl Iterator<Item = &str> {
    plan.secrets.keys().map(String::as_str).filter(|name| !name.contains(SEPARATOR))
}

/// A problem has one file: steps of others are not shown.
fn granted_to(problem: Problem, steps: &[&sluice_plan::Step], file: &Source) -> Problem {
    let here = steps.iter().filter(|step| step.source == *file);
    here.fold(problem, |problem, step| problem.at(step.uses_span, format!("step `{}` is granted it", step.id)))
        .within(file)
}

fn too_short(name: &str) -> Problem {
    Problem::new("run::short-secret", format!("the value of secret `{name}` is too short to be masked")).help(format!(
        "the run goes on; a value needs at least {SHORTEST_SECRET} characters to be told from other text"
    ))
}
