//! What wit-bindgen makes of `wit/`. One module holds all that plugins import, one module a kind holds its export and
//! borrows every type from the first, so that the kinds of one component speak of the same `step` and `sink`.
//!
//! A generated module adds to a component only what is used of it: an interface that nothing calls is not imported,
//! and a kind is exported only where its macro is expanded (by [`plugin!`](crate::plugin)).

// Raw memory is how values cross the boundary of a component; the generated code is the one place that touches it.
#![allow(unsafe_code, missing_docs)]

/// The imports that all kinds share.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "imports",
        generate_all,
        generate_unused_types: true,
        additional_type_attributes: {
            "sluice:plugin/types@1.0.0/severity": [#[derive(Hash)]],
            "sluice:plugin/types@1.0.0/span": [#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]],
            "sluice:plugin/types@1.0.0/edit": [#[derive(PartialEq, Eq, Hash)]],
            "sluice:plugin/types@1.0.0/fix": [#[derive(PartialEq, Eq, Hash)]],
            "sluice:plugin/types@1.0.0/finding": [#[derive(PartialEq, Eq, Hash)]],
        },
    });
}

/// One module a kind: generated bindings and the glue from its exported functions to the trait of the SDK.
macro_rules! kind {
    ($module:ident, $world:literal, $export:literal) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../wit",
                world: $world,
                pub_export_macro: true,
                export_macro_name: $export,
                with: {
                    "sluice:plugin/types@1.0.0": crate::bindings::imports::sluice::plugin::types,
                    "sluice:host/artifacts@1.0.0": crate::bindings::imports::sluice::host::artifacts,
                    "sluice:host/exec@1.0.0": crate::bindings::imports::sluice::host::exec,
                    "sluice:host/secrets@1.0.0": crate::bindings::imports::sluice::host::secrets,
                    "wasi:io/error@0.2.12": crate::bindings::imports::wasi::io::error,
                    "wasi:io/poll@0.2.12": crate::bindings::imports::wasi::io::poll,
                    "wasi:io/streams@0.2.12": crate::bindings::imports::wasi::io::streams,
                    "wasi:clocks/monotonic-clock@0.2.12": crate::bindings::imports::wasi::clocks::monotonic_clock,
                    "wasi:http/types@0.2.12": crate::bindings::imports::wasi::http::types,
                    "wasi:http/outgoing-handler@0.2.12": crate::bindings::imports::wasi::http::outgoing_handler,
                },
            });
        }
    };
}

kind!(lint, "lint-plugin", "export_lint");
kind!(scan, "scan-plugin", "export_scan");
kind!(build, "build-plugin", "export_build");
kind!(deploy, "deploy-plugin", "export_deploy");
kind!(notify, "notify-plugin", "export_notify");
kind!(task, "task-plugin", "export_task");
