//! WebAssembly components -> machine code, and the cache of that.
//!
//! A crate of its own because build scripts use it as well, to compile the first-party plugins ahead of time.

mod cache;
mod config;

pub use cache::CompileCache;
pub use config::{compile, engine_config, precompile, precompile_for};
