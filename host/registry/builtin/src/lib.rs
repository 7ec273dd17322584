//! The first-party plugins, inside the binary: the component, its precompiled form, and what can be told of it, all
//! worked out when the binary is built, so that a run neither compiles nor hashes nor parses them.

/// One first-party plugin.
#[derive(Debug)]
pub struct Builtin {
    pub name: &'static str,
    /// The component.
    pub wasm: &'static [u8],
    /// The component compiled for this target by the very wasmtime that is linked into the binary.
    pub precompiled: &'static [u8],
    /// SHA-256 of `wasm`.
    pub sha256: [u8; 32],
    /// Text of `plugin.yaml`, as embedded in the component.
    pub manifest: &'static str,
    /// Names of the component's imports.
    pub imports: &'static [&'static str],
    /// Names of the component's exports.
    pub exports: &'static [&'static str],
}

/// All of them, by name.
pub static BUILTINS: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/builtins.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plugin_is_there_and_exports_a_kind() {
        let names: Vec<_> = BUILTINS.iter().map(|builtin| builtin.name).collect();
        assert_eq!(names, ["build", "deploy", "exec", "lint", "notify", "scan", "wait-for"]);
        for builtin in BUILTINS {
            assert!(builtin.exports.iter().any(|name| name.starts_with("sluice:plugin/")), "{}", builtin.name);
            assert!(builtin.manifest.contains(&format!("name: {}", builtin.name)), "{}", builtin.name);
        }
    }
}
