//! A plugin that has been checked: its kind, its imports, its manifest.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use sluice_model::grant::Capability;
use sluice_model::suggest::list;
use sluice_model::{Digest, Kind, Manifest, PluginRef, Problem, Span};
use sluice_workflow::Template;

use crate::codes;
use crate::inputs::Inputs;
use crate::plan::PluginInfo;
use crate::seen;

/// A plugin that steps can use. Shared by all of them.
#[derive(Debug)]
pub struct Plugin {
    pub reference: PluginRef,
    pub digest: Digest,
    pub kind: Kind,
    /// Whether it runs as a plain WASI command.
    pub command: bool,
    pub manifest: Option<Arc<Manifest>>,
    pub(crate) inputs: Inputs,
    /// `None` for a plain command, which declares nothing and gets what steps grant.
    pub(crate) declared: Option<Vec<Declared>>,
}

/// One grant of the manifest, ready to be put to use.
#[derive(Debug)]
pub(crate) struct Declared {
    pub capability: Capability,
    pub template: Template,
    /// The inputs it depends on.
    pub inputs: BTreeSet<String>,
    /// Whether it depends on the inputs as a whole.
    pub all_inputs: bool,
    /// Whether it asks, whatever the inputs are, to see the value of a secret.
    pub asks_to_see: bool,
}

/// Packages of WASI 0.2 that the host links.
const WASI: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];

/// Interfaces of `sluice:plugin` that components import.
const TYPES: &str = "sluice:plugin/types";

impl Plugin {
    /// # Errors
    /// Everything that is wrong with the plugin, at the place of a step's `uses`.
    pub(crate) fn check(info: &PluginInfo, at: Span) -> Result<Self, Vec<Problem>> {
        let mut problems = imports(info, at);
        let kind = kind(info, at).map_err(|problem| problems.push(problem)).ok();
        let mut declared = info.manifest.as_ref().map(|_| Vec::new());
        for declaration in info.manifest.iter().flat_map(|manifest| &manifest.capabilities) {
            for spelling in &declaration.grants {
                match Declared::parse(declaration.capability, spelling) {
                    Ok(grant) => declared.get_or_insert_default().push(grant),
                    Err(reason) => problems.push(
                        Problem::new(
                            codes::BAD_MANIFEST,
                            format!(
                                "the manifest of plugin `{}` declares a grant that cannot be read: `{spelling}`",
                                name(info)
                            ),
                        )
                        .at(at, reason)
                        .help("tell its author"),
                    ),
                }
            }
        }
        let schema = info.manifest.as_ref().map_or_else(command_inputs, |manifest| manifest.inputs.clone());
        let inputs = Inputs::new(schema).map_err(|reason| {
            let message = format!("the manifest of plugin `{}` has no valid schema of inputs", name(info));
            problems.push(Problem::new(codes::BAD_MANIFEST, message).at(at, reason).help("tell its author"));
        });
        match (kind, inputs) {
            (Some(kind), Ok(inputs)) if problems.is_empty() => Ok(Self {
                reference: info.reference.clone(),
                digest: info.digest,
                kind,
                command: info.manifest.is_none(),
                manifest: info.manifest.clone().map(Arc::new),
                inputs,
                declared,
            }),
            _ => Err(problems),
        }
    }

    /// What messages call it.
    pub fn name(&self) -> String {
        self.manifest.as_ref().map_or_else(|| self.reference.to_string(), |manifest| manifest.name.clone())
    }
}

impl Declared {
    /// Whether it cannot be decided while these inputs are not known.
    pub fn depends_on(&self, unknown: &BTreeSet<&str>) -> bool {
        let names_one = self.inputs.iter().any(|name| unknown.contains(name.as_str()));
        names_one || (self.all_inputs && !unknown.is_empty())
    }

    pub fn parse(capability: Capability, spelling: &str) -> Result<Self, String> {
        let first =
            |problems: Vec<Problem>| problems.into_iter().next().map(|problem| problem.message).unwrap_or_default();
        let template = Template::parse(spelling, Span::default()).map_err(first)?;
        let mut declared = Self {
            capability,
            inputs: BTreeSet::new(),
            all_inputs: false,
            asks_to_see: seen::asks_to_see(spelling),
            template,
        };
        for reference in declared.template.expressions().into_iter().flat_map(|expression| &expression.references) {
            match reference.path.as_slice() {
                [root, name, ..] if root == "with" => {
                    declared.inputs.insert(name.clone());
                }
                [root] if root == "with" => declared.all_inputs = true,
                path => return Err(format!("`{}` is not known here; only `with` is", path.join("."))),
            }
        }
        Ok(declared)
    }
}

/// The inputs of a plain WASI command.
fn command_inputs() -> Value {
    json!({
        "type": "object",
        "properties": {"args": {"type": "array", "items": {"type": "string"}, "default": []}},
        "additionalProperties": false,
    })
}

fn name(info: &PluginInfo) -> String {
    info.manifest.as_ref().map_or_else(|| info.reference.to_string(), |manifest| manifest.name.clone())
}

fn kind(info: &PluginInfo, at: Span) -> Result<Kind, Problem> {
    let name = name(info);
    let kinds = |kinds: &[Kind]| list(kinds.iter().map(|kind| kind.as_str()));
    let Some(manifest) = &info.manifest else {
        return match info.command {
            true => Ok(Kind::Task),
            false => {
                Err(Problem::new(codes::NO_MANIFEST, format!("the component `{}` carries no manifest", info.reference))
                    .at(at, "neither a plugin with a manifest nor a WASI command")
                    .help(format!("embed one: sluice plugin pack {} plugin.yaml -o plugin.wasm", info.reference)))
            }
        };
    };
    let missing: Vec<Kind> = manifest.kinds.iter().copied().filter(|kind| !info.exports.contains(kind)).collect();
    if !missing.is_empty() {
        let exported = if info.exports.is_empty() { "none".to_owned() } else { kinds(&info.exports) };
        return Err(Problem::new(
            codes::KIND_MISMATCH,
            format!(
                "the manifest of plugin `{name}` names the kind {}, which its component does not export",
                kinds(&missing)
            ),
        )
        .at(at, format!("kinds that it exports: {exported}"))
        .help("ask its author to make `kinds` of its manifest say what the component is"));
    }
    match manifest.kinds.as_slice() {
        [kind] => Ok(*kind),
        several => {
            Err(Problem::new(codes::AMBIGUOUS_KIND, format!("plugin `{name}` is of several kinds: {}", kinds(several)))
                .at(at, "a step cannot say yet which of them it means")
                .help("use a plugin of one kind"))
        }
    }
}

fn imports(info: &PluginInfo, at: Span) -> Vec<Problem> {
    let name = name(info);
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for import in &info.imports {
        let (interface, version) = import.split_once('@').unwrap_or((import, ""));
        let capability = Capability::ALL.into_iter().find(|capability| capability.interface() == Some(interface));
        let known = match (interface.split_once(':'), capability) {
            (_, Some(_)) => version.starts_with("1."),
            (Some(("wasi", rest)), None) => {
                version.starts_with("0.2.") && rest.split('/').next().is_some_and(|package| WASI.contains(&package))
            }
            _ => interface == TYPES && version.starts_with("1."),
        };
        if !seen.insert(interface) {
            continue;
        }
        if !known {
            problems.push(
                Problem::new(codes::UNKNOWN_IMPORT, format!("plugin `{name}` imports `{import}`, which Sluice does not have"))
                    .at(at, "this component cannot be linked")
                    .help("Sluice provides WASI 0.2, `sluice:plugin@1` and `sluice:host@1`; look for another version of the plugin"),
            );
        } else if let (Some(capability), Some(manifest)) = (capability, &info.manifest)
            && !manifest.declares(capability)
        {
            problems.push(
                Problem::new(
                    codes::NOT_DECLARED,
                    format!("plugin `{name}` imports `{interface}`, which its manifest does not declare"),
                )
                .at(at, format!("this component could {}", capability.meaning()))
                .help(format!("ask its author to declare `{capability}`, or use a version that does not import it")),
            );
        }
    }
    problems
}
