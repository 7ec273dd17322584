//! Builds the first-party plugins for wasm32-wasip2, precompiles them, and writes the table that `lib.rs` includes.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use wasmparser::{Parser, Payload};

const PLUGINS: [&str; 7] = ["build", "deploy", "exec", "lint", "notify", "scan", "wait-for"];
const MANIFEST_SECTION: &str = "sluice:manifest";

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../..").canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for watched in ["plugins", "sdk/rust/src", "sdk/rust/macros/src", "wit", "host/model/src", ".cargo/config.toml"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE-HASH/out; a folder of its own avoids waiting for our own lock.
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is not inside a target folder")?.join("plugins");
    build_components(&root, &target)?;

    let mut table = String::from("&[\n");
    for name in PLUGINS {
        let component = target.join(format!("wasm32-wasip2/plugin/sluice_plugin_{}.wasm", name.replace('-', "_")));
        write_entry(&mut table, name, &component, &out)?;
    }
    table.push_str("]\n");
    fs::write(out.join("builtins.rs"), table)?;
    Ok(())
}

fn build_components(root: &Path, target: &Path) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo
        .current_dir(root)
        .args(["build", "--profile", "plugin", "--target", "wasm32-wasip2", "--target-dir"])
        .arg(target);
    for name in PLUGINS {
        cargo.args(["-p", &format!("sluice-plugin-{name}")]);
    }
    // What the outer build set for its own target must not reach the plugins.
    for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC_WORKSPACE_WRAPPER", "RUSTC"] {
        cargo.env_remove(variable);
    }
    if let Some(rustc) = fallback_compiler() {
        cargo.env("RUSTC", rustc);
    }
    let status = cargo.status()?;
    if !status.success() {
        return Err(
            "the first-party plugins did not build; if the target wasm32-wasip2 is missing, run `./setup`".into()
        );
    }
    Ok(())
}

/// What `sdk/wasm-target-debian.sh` assembled, if the compiler of this build lacks the target.
fn fallback_compiler() -> Option<PathBuf> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let libraries =
        Command::new(rustc).args(["--print", "target-libdir", "--target", "wasm32-wasip2"]).output().ok()?;
    let libraries = PathBuf::from(String::from_utf8(libraries.stdout).ok()?.trim());
    let has_std = fs::read_dir(libraries).is_ok_and(|mut files| {
        files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
    });
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache")))?;
    let compiler = cache.join("sluice/wasm-toolchain/usr/bin/rustc");
    (!has_std && compiler.is_file()).then_some(compiler)
}

fn write_entry(table: &mut String, name: &str, component: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let wasm = fs::read(component)?;
    let precompiled = out.join(format!("{name}.cwasm"));
    fs::write(&precompiled, sluice_engine_compile::precompile(&wasm)?)?;
    let digest: [u8; 32] = Sha256::digest(&wasm).into();
    let (mut imports, mut exports, mut manifest, mut depth) = (Vec::new(), Vec::new(), None, 0_usize);
    for payload in Parser::new(0).parse_all(&wasm) {
        match payload? {
            Payload::ComponentSection { .. } | Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                manifest = Some(String::from_utf8(section.data().to_vec())?);
            }
            _ => {}
        }
    }
    let manifest = manifest.ok_or_else(|| format!("plugin `{name}` has no section `{MANIFEST_SECTION}`"))?;
    writeln!(
        table,
        "    Builtin {{ name: {name:?}, wasm: include_bytes!({component:?}), precompiled: include_bytes!({precompiled:?}), \
         sha256: {digest:?}, manifest: {manifest:?}, imports: &{imports:?}, exports: &{exports:?} }},"
    )?;
    Ok(())
}
