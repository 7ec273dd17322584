//! `sluice plugin`

pub mod add;
mod push;
mod signed;
mod vendor;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sluice_model::{Manifest, PluginRef, Problem, Source};

use crate::args::{JsonArgs, PackArgs, PluginCommand, ShowPluginArgs};
use crate::output::Output;
use crate::plugins::{self, Loaded};
use crate::{exit, lock_file, outside, pack};

pub fn run(command: &PluginCommand, from: &Path, output: &Output) -> u8 {
    let done = match command {
        PluginCommand::List(args) => list(args, from, output),
        PluginCommand::Show(args) => show(args, from, output),
        PluginCommand::Pack(args) => pack(args, from, output),
        PluginCommand::Add(args) => add::add(args, from, output),
        PluginCommand::Update(args) => add::update(args, from, output),
        PluginCommand::Remove(args) => add::remove(args, from, output),
        PluginCommand::Vendor(args) => vendor::vendor(args, from, output),
        PluginCommand::Verify(args) => signed::verify(args, from, output),
        PluginCommand::Push(args) => push::push(args, from, output),
    };
    match done {
        Ok(()) => exit::PASSED,
        Err(problems) => {
            output.problems(&problems);
            exit::REFUSED
        }
    }
}

fn list(args: &JsonArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let (mut text, mut entries) = (String::new(), Vec::new());
    for name in sluice_registry::builtin_names() {
        let loaded = plugins::load(&PluginRef::Builtin(name.to_owned()), from).map_err(|problem| vec![problem])?;
        if let Some(manifest) = &loaded.info.manifest {
            let _ = writeln!(text, "{name:8} {:8} {}", manifest.version, manifest.description);
        }
        entries.push(as_json(&loaded));
    }
    output.result(&if args.json { format!("{:#}\n", Value::Array(entries)) } else { text });
    Ok(())
}

fn show(args: &ShowPluginArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let reference = reference(&args.plugin)?;
    let loaded = match reference.is_outside() {
        true => {
            let workspace = lock_file::workspace(from);
            let lock = lock_file::read(&workspace)?;
            let fetched = outside::newest(&reference, &lock, &workspace);
            fetched.and_then(|fetched| plugins::inspected(&reference, fetched.component))
        }
        false => plugins::load(&reference, from),
    };
    let loaded = loaded.map_err(|problem| vec![problem])?;
    output.result(&if args.json { format!("{:#}\n", as_json(&loaded)) } else { describe(&loaded) });
    Ok(())
}

fn reference(text: &str) -> Result<PluginRef, Vec<Problem>> {
    PluginRef::parse(text).map_err(|reason| {
        vec![Problem::new("plugin::bad-reference", format!("`{text}` names no plugin")).cause(reason)]
    })
}

fn as_json(loaded: &Loaded) -> Value {
    let info = &loaded.info;
    json!({
        "reference": info.reference,
        "digest": info.digest,
        "bytes": loaded.component.bytes().len(),
        "manifest": info.manifest,
        "exports": info.exports,
        "command": info.command,
        "imports": info.imports,
    })
}

fn describe(loaded: &Loaded) -> String {
    let info = &loaded.info;
    let mut text = String::new();
    match &info.manifest {
        Some(manifest) => describe_manifest(&mut text, manifest),
        None if info.command => {
            text.push_str("a plain WASI command: runs as a task, with no capability that a step does not grant\n")
        }
        None => text.push_str("a component without a manifest: steps cannot use it\n"),
    }
    let _ =
        writeln!(text, "\ndigest   {}\nsize     {} KiB", info.digest, loaded.component.bytes().len().div_ceil(1024));
    for (position, import) in info.imports.iter().enumerate() {
        let _ = writeln!(text, "{}{import}", if position == 0 { "imports  " } else { "         " });
    }
    text
}

fn describe_manifest(text: &mut String, manifest: &Manifest) {
    let kinds: Vec<&str> = manifest.kinds.iter().map(|kind| kind.as_str()).collect();
    let _ = writeln!(text, "{} {}  {}\n{}", manifest.name, manifest.version, kinds.join(", "), manifest.description);
    for (title, schema) in [("inputs", &manifest.inputs), ("outputs", &manifest.outputs)] {
        let Some(properties) = schema["properties"].as_object().filter(|properties| !properties.is_empty()) else {
            continue;
        };
        let _ = writeln!(text, "\n{title}");
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in properties {
            let _ = writeln!(text, "  {name:16} {}", describe_property(property, required.contains(&name.as_str())));
        }
    }
    describe_capabilities(text, manifest);
}

fn describe_capabilities(text: &mut String, manifest: &Manifest) {
    text.push_str("\ncapabilities\n");
    if manifest.capabilities.is_empty() {
        text.push_str("  none\n");
    }
    for declaration in &manifest.capabilities {
        for grant in &declaration.grants {
            let _ = writeln!(text, "  {:9} {grant}", declaration.capability.as_str());
        }
        let _ = writeln!(text, "            because: {}", declaration.reason);
    }
}

/// `string, required: where to`
fn describe_property(property: &Value, required: bool) -> String {
    let kind = match &property["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".into(),
    };
    let default = match &property["default"] {
        Value::Null if required => ", required".to_owned(),
        Value::Null => String::new(),
        default => format!(", default {default}"),
    };
    let options = property["enum"]
        .as_array()
        .map(|options| format!(", one of {}", options.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")));
    let description = property["description"].as_str().map(|text| format!(": {text}")).unwrap_or_default();
    format!("{kind}{default}{}{description}", options.unwrap_or_default())
}

fn pack(args: &PackArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let read = |path: &Path| {
        fs::read(from.join(path)).map_err(|error| {
            vec![
                Problem::new("plugin::not-found", format!("cannot read `{}`", path.display())).cause(error.to_string()),
            ]
        })
    };
    let component = read(&args.component)?;
    let manifest = String::from_utf8(read(&args.manifest)?)
        .map_err(|_| vec![Problem::new("plugin::manifest", format!("`{}` is not UTF-8", args.manifest.display()))])?;
    Manifest::parse(&Source::new(args.manifest.display().to_string(), manifest.as_str()))?;
    let packed = pack::pack(&component, &manifest).map_err(|problem| vec![problem])?;
    let target = from.join(&args.output);
    pack::write_whole(&target, &packed).map_err(|error| {
        vec![
            Problem::new("plugin::not-written", format!("cannot write `{}`", args.output.display()))
                .cause(error.to_string()),
        ]
    })?;
    output.result(&format!("{}: {} KiB\n", args.output.display(), packed.len().div_ceil(1024)));
    Ok(())
}
