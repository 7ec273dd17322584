//! What is taken for a component, and what is not.

use sluice_engine::{InspectError, Inspection, inspect};
use sluice_model::Kind;

use crate::harness::digest;
use crate::{by_hand, guests};

/// A custom section at the end of a component: id 0, size, name, data.
fn with_section(component: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    fn leb(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            bytes.push(if value == 0 { low } else { low | 0x80 });
            if value == 0 {
                return bytes;
            }
        }
    }
    let body = [&leb(name.len())[..], name.as_bytes(), data].concat();
    [component, &[0], &leb(body.len())[..], &body].concat()
}

#[test]
fn a_component_tells_what_it_is() {
    let bytes = with_section(&guests::TASK, "sluice:manifest", b"name: task\n");
    let Inspection { digest: found, manifest_text, exports, command, imports } = inspect(&bytes).unwrap();
    assert_eq!(found, digest(&bytes));
    assert_eq!(manifest_text.as_deref(), Some("name: task\n"));
    assert_eq!(exports, [Kind::Task]);
    assert!(!command);
    for wanted in ["sluice:plugin/types@1.0.0", "sluice:host/exec@1.0.0", "wasi:http/outgoing-handler@0.2.12"] {
        assert!(imports.iter().any(|import| import == wanted), "{wanted} in {imports:?}");
    }
    let command = inspect(&guests::COMMAND).unwrap();
    assert!(command.command && command.exports.is_empty() && command.manifest_text.is_none());
}

#[test]
fn what_is_no_component_is_refused_clearly() {
    let manifest = |component: &[u8]| with_section(component, "sluice:manifest", b"name: x\n");
    let compiled = {
        let engine = wasmtime::Engine::new(&sluice_engine_compile::engine_config()).unwrap();
        sluice_engine_compile::compile(&engine, &by_hand::TABLES).unwrap()
    };
    let no_kind = wat::parse_str("(component)").unwrap();
    let core = wat::parse_str("(module)").unwrap();
    let rows: [(&str, Vec<u8>, &str, &str); 10] = [
        ("empty", vec![], "plugin::not-a-component", "the file is empty"),
        ("text", b"hello".to_vec(), "plugin::not-a-component", "the file is not a WebAssembly component"),
        ("core", core, "plugin::not-a-component", "the file is a core WebAssembly module, not a component"),
        ("compiled", compiled, "plugin::native-code", "the file is native code, not a WebAssembly component"),
        (
            "elf",
            b"\x7fELF\x02\x01\x01".to_vec(),
            "plugin::native-code",
            "the file is native code, not a WebAssembly component",
        ),
        (
            "two manifests",
            manifest(&manifest(&guests::TASK)),
            "plugin::second-manifest",
            "the component has more than one manifest",
        ),
        (
            "long manifest",
            with_section(&guests::TASK, "sluice:manifest", &vec![b'#'; 65_537]),
            "plugin::manifest-too-large",
            "the manifest has 65537 bytes; at most 65536 are read",
        ),
        (
            "not text",
            with_section(&guests::TASK, "sluice:manifest", b"\xff"),
            "plugin::bad-manifest",
            "the manifest is not UTF-8 text",
        ),
        ("no kind", no_kind, "plugin::no-kind", "the component exports no kind of plugin and is no command"),
        (
            "large",
            [&b"\0asm\x0d\0\x01\0"[..], &vec![0; 64 << 20]].concat(),
            "plugin::too-large",
            "the component has 67108872 bytes; at most 67108864 are read",
        ),
    ];
    for (name, bytes, code, message) in rows {
        let InspectError { code: found, message: text, .. } = inspect(&bytes).unwrap_err();
        assert_eq!((found, text.as_str()), (code, message), "{name}");
    }
    for end in [9, guests::TASK.len() / 2, guests::TASK.len() - 1] {
        let error = inspect(&guests::TASK[..end]).unwrap_err();
        assert_eq!(error.code, "plugin::broken-component", "cut to {end}: {error}");
    }
}
