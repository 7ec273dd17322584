use wasmtime::{Config, Engine};

/// Bytes of stack that a component may use before the call ends with a stack overflow.
const WASM_STACK_BYTES: usize = 1 << 20;

/// What every engine of Sluice is made from: the features that stock toolchains need and no other, time limits by
/// epochs, no WASI 0.3.
pub fn engine_config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // Costs four times the time of a call, and only WASI 0.3 needs it.
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK_BYTES)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        // A trap is told by its kind and by what the plugin wrote; nobody reads unwind tables.
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .generate_address_map(false)
        .debug_symbols(false);
    // `wasm_multi_memory` stays on: without it wasmtime 48 panics on components with internal adapters. Garbage
    // collection, threads, exceptions and stack switching are left out of the build by Cargo features.
    config
}

/// Compiles a component for this engine, in a form that [`wasmtime::component::Component::deserialize`] reads.
///
/// Fails when the bytes are not a valid component, or use a feature that is switched off.
pub fn compile(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>, String> {
    engine.precompile_component(wasm).map_err(|error| format!("{error:#}"))
}

/// Compiles a component ahead of time in a build script, for the machine that Cargo builds for.
///
/// Reads the environment variable `TARGET` that Cargo sets for build scripts. Fails as [`precompile_for`] does.
pub fn precompile(wasm: &[u8]) -> Result<Vec<u8>, String> {
    let target = std::env::var("TARGET").map_err(|_| "`TARGET` is not set; this is for build scripts".to_owned())?;
    precompile_for(wasm, &target)
}

/// Compiles a component ahead of time for a target triple: the code runs on any machine of the family, whichever machine
/// compiles it.
///
/// Fails as [`compile`] does, and when the family is not the one of this machine.
pub fn precompile_for(wasm: &[u8], target: &str) -> Result<Vec<u8>, String> {
    let mut config = engine_config();
    // Naming the target, even the machine's own, switches off what would be inferred from this machine's processor.
    config.target(target).map_err(|error| format!("{error:#}"))?;
    if target.starts_with("x86_64") {
        for flag in ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"] {
            // SAFETY: these say which instructions may be used (x86-64-v2, every processor since 2009). wasmtime
            // compares them with the processor when the code is loaded and refuses what does not fit.
            #[expect(unsafe_code, reason = "the only way to name processor features")]
            unsafe {
                config.cranelift_flag_enable(flag);
            }
        }
    }
    let engine = Engine::new(&config).map_err(|error| format!("{error:#}"))?;
    compile(&engine, wasm)
}
