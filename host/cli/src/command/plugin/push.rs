//! `sluice plugin push`

use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};
use sluice_model::{Manifest, PluginRef, Problem};
use sluice_registry_oci::Artifact;

use super::reference;
use crate::args::PushArgs;
use crate::output::Output;
use crate::{outside, plugins};

pub fn push(args: &PushArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let to = reference(&args.to)?;
    let PluginRef::Oci(oci) = &to else {
        let message = format!("`{}` is no place in a container registry", args.to);
        return Err(vec![
            Problem::new("plugin::bad-reference", message)
                .help("for example oci://registry.example.org/acme/check:1.2"),
        ]);
    };
    if oci.digest.is_some() {
        let message = format!("`{}` names a digest", args.to);
        return Err(vec![
            Problem::new("plugin::bad-reference", message).help("a push goes to a tag; it gives the digest"),
        ]);
    }
    // However the file is named, it is a file.
    let file = PluginRef::Path(args.file.to_string_lossy().into_owned());
    let loaded = plugins::load(&file, from).map_err(|problem| vec![problem])?;
    if loaded.info.manifest.is_none() && !loaded.info.command {
        let message = format!("the component `{file}` carries no manifest");
        let help = format!("embed one: sluice plugin pack {file} plugin.yaml -o plugin.wasm");
        return Err(vec![Problem::new("plan::no-manifest", message).help(help)]);
    }
    let commands = loaded.info.command.then(|| "wasi:cli/run".to_owned());
    let kinds = loaded.info.exports.iter().map(|kind| format!("sluice:plugin/{kind}"));
    let artifact = Artifact {
        component: Bytes::copy_from_slice(loaded.component.bytes()),
        exports: kinds.chain(commands).collect(),
        imports: loaded.info.imports.clone(),
        annotations: loaded.info.manifest.as_ref().map_or_else(|| json!({}), annotations),
    };
    let workspace = crate::lock_file::workspace(from);
    let manifest = outside::with_client(&workspace, |client| client.push(oci, &artifact))
        .map_err(|failure| vec![pushed(outside::explain(&to, failure), &to)])?;
    let component = loaded.component.digest();
    let whole = format!("oci://{}/{}:{}@{manifest}", oci.registry, oci.repository, oci.tag_or_default());
    output.result(&if args.json {
        format!("{:#}\n", json!({"reference": whole, "manifest": manifest, "digest": component}))
    } else {
        format!("{whole}\ndigest {component}\n")
    });
    Ok(())
}

fn pushed(mut problem: Problem, to: &PluginRef) -> Problem {
    if problem.code == "plugin::not-fetched" {
        problem.code = "plugin::not-pushed";
        problem.message = format!("cannot push to `{to}`");
    }
    problem
}

fn annotations(manifest: &Manifest) -> Value {
    json!({
        "org.opencontainers.image.title": manifest.name,
        "org.opencontainers.image.version": manifest.version,
        "org.opencontainers.image.description": manifest.description,
    })
}
