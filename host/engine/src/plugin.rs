//! A component, from bytes to something that can be instantiated.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use sha2::Digest as _;
use sluice_engine_compile::CompileCache;
use sluice_model::grant::Capability;
use sluice_model::{Digest, Failure, FailureKind};
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::compiler::CompilerCommand;
use crate::linker::{self, Profile};
use crate::state::State;

/// A component that steps may run.
#[derive(Clone)]
pub struct Plugin {
    pub digest: Digest,
    /// The component.
    pub bytes: Cow<'static, [u8]>,
    /// What `sluice_engine_compile::precompile` made of it when this program was built. Compiled code is trusted: this
    /// is for what is embedded in the program and nothing else. What does not fit this machine is compiled anew.
    pub precompiled: Option<&'static [u8]>,
    /// The capabilities that its manifest declares; none without a manifest.
    pub declared: Vec<Capability>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("digest", &self.digest).field("declared", &self.declared).finish_non_exhaustive()
    }
}

/// A plugin, and what was made of it so far.
pub struct Loaded {
    plugin: Plugin,
    component: OnceLock<Result<Component, String>>,
    ready: [OnceLock<Result<InstancePre<State>, String>>; Profile::COUNT],
}

/// Where machine code comes from.
pub struct Source<'a> {
    pub engine: &'a Engine,
    pub cache: Option<&'a CompileCache>,
    /// `None` compiles in this process.
    pub compiler: Option<&'a CompilerCommand>,
}

/// The linkers of an engine, each made when the first component needs it.
#[derive(Default)]
pub struct Linkers([OnceLock<Result<Arc<Linker<State>>, String>>; Profile::COUNT]);

impl Loaded {
    pub fn new(plugin: Plugin) -> Self {
        Self { plugin, component: OnceLock::new(), ready: Default::default() }
    }

    /// Whether the machine code is there, so that nothing slow stands before the call.
    pub fn is_compiled(&self) -> bool {
        self.component.get().is_some()
    }

    /// Loads or compiles; several threads that ask at once wait for the first.
    pub fn compile(&self, source: &Source<'_>) -> Result<&Component, Failure> {
        self.component
            .get_or_init(|| compile(source, &self.plugin))
            .as_ref()
            .map_err(|why| Failure::new(FailureKind::Load, "the component could not be compiled").cause(why.clone()))
    }

    /// The component with its imports resolved.
    pub fn ready(
        &self,
        source: &Source<'_>,
        linkers: &Linkers,
        granted: &sluice_model::Grants,
    ) -> Result<&InstancePre<State>, Failure> {
        let (component, engine) = (self.compile(source)?, source.engine);
        let profile = Profile::new(&self.plugin.declared, granted);
        let ready = self.ready[profile.index()].get_or_init(|| {
            let linker = linkers.0[profile.index()]
                .get_or_init(|| linker::linker(engine, profile).map(Arc::new).map_err(|error| format!("{error:#}")));
            let linker = linker.as_ref().map_err(String::clone)?;
            linker.instantiate_pre(component).map_err(|error| format!("{error:#}"))
        });
        ready.as_ref().map_err(|why| {
            Failure::new(FailureKind::Load, "the component imports something that it is not offered")
                .cause(why.clone())
                .help("an interface of `sluice:host` is offered when the manifest declares its capability; other imports must be of WASI 0.2")
        })
    }
}

fn compile(source: &Source<'_>, plugin: &Plugin) -> Result<Component, String> {
    let Source { engine, cache, compiler } = *source;
    let load = |code: &[u8]| {
        // SAFETY: the code is what our own build or our own authenticated cache holds, or was compiled just now.
        // wasmtime checks that its settings fit this engine and this processor.
        #[expect(unsafe_code, reason = "machine code can only be loaded so")]
        unsafe {
            Component::deserialize(engine, code)
        }
    };
    if let Some(component) = plugin.precompiled.and_then(|code| load(code).ok()) {
        return Ok(component);
    }
    let digest: [u8; 32] = sha2::Sha256::digest(&plugin.bytes).into();
    if Digest::from_bytes(digest) != plugin.digest {
        return Err(format!("its bytes have another digest than {}", plugin.digest));
    }
    if let Some(component) = cache.and_then(|cache| cache.get(&digest)).and_then(|code| load(&code).ok()) {
        return Ok(component);
    }
    let code = match compiler {
        Some(compiler) => compiler.compile(&plugin.bytes)?,
        None => sluice_engine_compile::compile(engine, &plugin.bytes)?,
    };
    if let Some(cache) = cache {
        cache.put(&digest, &code);
    }
    load(&code).map_err(|error| format!("{error:#}"))
}
