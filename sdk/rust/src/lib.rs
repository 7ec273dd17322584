//! Write Sluice plugins in Rust.
pub mod bindings;
