//! What a component says of itself, read without compiling or running it.

use std::fmt;

use sha2::Digest as _;
use sluice_model::{Digest, Kind, manifest};
use wasmparser::{Parser, Payload};
use wasmtime::Engine;

/// A larger component is refused, in bytes.
pub const MAX_BYTES: usize = 64 << 20;

/// What can be known of a component from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    pub digest: Digest,
    /// The text of `plugin.yaml`.
    pub manifest_text: Option<String>,
    /// The kinds that it exports.
    pub exports: Vec<Kind>,
    /// Whether it exports `wasi:cli/run`.
    pub command: bool,
    /// Every import by its full name, such as `wasi:io/poll@0.2.6`.
    pub imports: Vec<String>,
}

/// Why bytes are not a component that Sluice takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectError {
    /// For example `plugin::not-a-component`.
    pub code: &'static str,
    pub message: String,
    pub help: Option<String>,
}

impl fmt::Display for InspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InspectError {}

fn refuse(code: &'static str, message: impl Into<String>, help: Option<&str>) -> InspectError {
    InspectError { code, message: message.into(), help: help.map(str::to_owned) }
}

/// Reads a component's manifest, imports and exports. Looks at section headers only: a component that passes here may
/// still fail to compile.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    check_form(bytes)?;
    let mut found = Found::default();
    // How many modules and components deep the reader is.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(broken)?;
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            // A Rust crate's section ends up in the core module inside; a packing tool's stands at the top level.
            Payload::CustomSection(section) if section.name() == manifest::SECTION => found.manifest(section.data())?,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    found.imports.push(import.map_err(broken)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    found.export(export.map_err(broken)?.name.name);
                }
            }
            _ => {}
        }
    }
    if found.kinds.is_empty() && !found.command {
        return Err(refuse(
            "plugin::no-kind",
            "the component exports no kind of plugin and is no command",
            Some(
                "a plugin exports one of `lint`, `scan`, `build`, `deploy`, `notify`, `task` of `sluice:plugin@1.0.0`; a command exports `wasi:cli/run`",
            ),
        ));
    }
    found.kinds.sort_unstable();
    Ok(Inspection {
        digest: Digest::from_bytes(sha2::Sha256::digest(bytes).into()),
        manifest_text: found.manifest,
        exports: found.kinds,
        command: found.command,
        imports: found.imports,
    })
}

#[derive(Default)]
struct Found {
    manifest: Option<String>,
    kinds: Vec<Kind>,
    command: bool,
    imports: Vec<String>,
}

impl Found {
    fn manifest(&mut self, data: &[u8]) -> Result<(), InspectError> {
        if self.manifest.is_some() {
            return Err(refuse(
                "plugin::second-manifest",
                "the component has more than one manifest",
                Some("a component composed of several plugins gets one manifest of its own"),
            ));
        }
        if data.len() > manifest::MAX_BYTES {
            let message = format!("the manifest has {} bytes; at most {} are read", data.len(), manifest::MAX_BYTES);
            return Err(refuse("plugin::manifest-too-large", message, None));
        }
        match std::str::from_utf8(data) {
            Ok(text) => self.manifest = Some(text.to_owned()),
            Err(_) => return Err(refuse("plugin::bad-manifest", "the manifest is not UTF-8 text", None)),
        }
        Ok(())
    }

    fn export(&mut self, name: &str) {
        let (interface, version) = name.split_once('@').unwrap_or((name, ""));
        if interface == "wasi:cli/run" && version.starts_with("0.2.") {
            self.command = true;
        }
        if let Some(kind) = interface.strip_prefix("sluice:plugin/").and_then(|kind| kind.parse::<Kind>().ok())
            && version.starts_with("1.")
            && !self.kinds.contains(&kind)
        {
            self.kinds.push(kind);
        }
    }
}

fn check_form(bytes: &[u8]) -> Result<(), InspectError> {
    const NOT: &str = "plugin::not-a-component";
    if bytes.is_empty() {
        return Err(refuse(NOT, "the file is empty", None));
    }
    if bytes.len() > MAX_BYTES {
        let message = format!("the component has {} bytes; at most {MAX_BYTES} are read", bytes.len());
        return Err(refuse("plugin::too-large", message, None));
    }
    if Engine::detect_precompiled(bytes).is_some() || bytes.starts_with(b"\x7fELF") {
        return Err(refuse(
            "plugin::native-code",
            "the file is native code, not a WebAssembly component",
            Some("name the `.wasm` file that it was compiled from; compiled code is never taken from others"),
        ));
    }
    if Parser::is_core_wasm(bytes) {
        return Err(refuse(
            NOT,
            "the file is a core WebAssembly module, not a component",
            Some("build it for `wasm32-wasip2`, or turn it into a component with `wasm-tools component new`"),
        ));
    }
    if !Parser::is_component(bytes) {
        return Err(refuse(NOT, "the file is not a WebAssembly component", None));
    }
    Ok(())
}

fn broken(error: wasmparser::BinaryReaderError) -> InspectError {
    let message = format!("the component is broken at byte {}: {}", error.offset(), error.message());
    refuse("plugin::broken-component", message, None)
}
