//! Rust types of the contract.

pub use deploy::exports::sluice::plugin::deploy::{Action, Change, Deployment};
pub use imports::sluice::plugin::types;

mod imports {
    wasmtime::component::bindgen!({
        path: "../../wit",
        interfaces: "import sluice:plugin/types@1.0.0;",
        with: {
            "sluice:plugin/types.step": crate::state::StepHandle,
            "sluice:plugin/types.sink": crate::state::SinkHandle,
        },
        imports: { default: trappable },
    });
}

mod deploy {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package sluice:engine; world deploy { export sluice:plugin/deploy@1.0.0; }",
        world: "sluice:engine/deploy",
        with: { "sluice:plugin/types@1.0.0": super::types },
        exports: { default: async },
    });
}
