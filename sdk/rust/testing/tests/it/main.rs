//! What the SDK makes of a crate: a component with the kinds that it names, the imports that it uses, and its manifest.

use std::path::Path;

use sluice_sdk_testing::{End, Plugin};
use wit_component::DecodedWasm;

/// Names of the exports, and of the imports that are not plain WASI, which the standard library decides about.
fn contents(plugin: &Plugin) -> (Vec<String>, Vec<String>) {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(plugin.bytes()).unwrap() else {
        panic!("not a component");
    };
    let world = &resolve.worlds[world];
    let names = |items: Vec<_>| items.into_iter().map(|key| resolve.name_world_key(key)).collect::<Vec<_>>();
    let imports = names(world.imports.keys().collect());
    let ours = imports.into_iter().filter(|name| name.starts_with("sluice:") || name.starts_with("wasi:http"));
    (names(world.exports.keys().collect()), ours.collect())
}

fn build(folder: &str) -> Plugin {
    Plugin::build(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

#[test]
fn a_plugin_exports_its_kind_and_imports_what_it_uses() {
    let (exports, imports) = contents(&build("../example"));
    assert_eq!(exports, ["sluice:plugin/lint@1.0.0"]);
    assert_eq!(imports, ["sluice:plugin/types@1.0.0"]);
}

#[test]
fn a_plugin_may_be_of_several_kinds() {
    let (mut exports, mut imports) = contents(&build("tests/two-kinds"));
    exports.sort();
    imports.sort();
    assert_eq!(exports, ["sluice:plugin/lint@1.0.0", "sluice:plugin/task@1.0.0"]);
    assert_eq!(imports, ["sluice:host/exec@1.0.0", "sluice:plugin/types@1.0.0"]);
}

#[test]
fn the_manifest_is_inside_once() {
    let plugin = build("../example");
    let inspection = sluice_engine::inspect(plugin.bytes()).unwrap();
    assert_eq!(inspection.manifest_text.as_deref(), Some(include_str!("../../../example/plugin.yaml")));
}

#[test]
fn bytes_that_are_no_component_are_refused() {
    let outcome = Plugin::from_bytes(*b"\0asm\x01\0\0\0").inputs(serde_json::json!({})).run();
    let Err(End::Refused(problems)) = &outcome.result else { panic!("{:?}", outcome.result) };
    assert_eq!(problems[0].code, "plugin::not-a-component");
}

/// The README shows the example; what people copy is what runs here.
#[test]
fn the_readme_shows_the_example() {
    let readme = include_str!("../../../README.md");
    for (name, text) in [
        ("plugin.yaml", include_str!("../../../example/plugin.yaml")),
        ("src/lib.rs", include_str!("../../../example/src/lib.rs")),
        ("tests/it/main.rs", include_str!("../../../example/tests/it/main.rs")),
    ] {
        assert!(readme.contains(text.trim_end()), "README.md shows another `{name}` than the example has");
    }
}
