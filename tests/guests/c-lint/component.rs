//! What `wit-bindgen c` and `wasm-tools component new --adapt` do, by the libraries behind them, in the versions that
//! this workspace compiles anyway.

use std::error::Error;
use std::fs;
use std::path::Path;

use wasi_preview1_component_adapter_provider as adapter;
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::ComponentEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bindings", contract, world, out] => bindings(contract, world, Path::new(out)),
        ["component", module, out] => component(module, out),
        _ => Err("sluice-guest-c bindings WIT-FOLDER WORLD.wit OUT-FOLDER | component CORE.wasm OUT.wasm".into()),
    }
}

/// C source and header for the one world of the file `world`.
fn bindings(contract: &str, world: &str, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut resolve = Resolve::default();
    resolve.push_path(contract)?;
    let (package, _) = resolve.push_path(world)?;
    let world = resolve.select_world(&[package], None)?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    for (name, content) in files.iter() {
        fs::write(out.join(name), content)?;
    }
    Ok(())
}

/// The component of a core module whose C library speaks WASI preview 1.
fn component(module: &str, out: &str) -> Result<(), Box<dyn Error>> {
    let component = ComponentEncoder::default()
        .module(&fs::read(module)?)?
        .adapter(adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?
        .validate(true)
        .encode()?;
    Ok(fs::write(out, component)?)
}
