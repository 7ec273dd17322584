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
    /// Machine code of it. What does not fit this machine is compiled anew.
    pub precompiled: Option<Code>,
    /// The capabilities that its manifest declares; none without a manifest.
    pub declared: Vec<Capability>,
}

/// Machine code, which is trusted: what `sluice_engine_compile::precompile` made when this program was built and is embedded
/// in it, or what the process that this one works for has compiled or authenticated. Nothing else.
#[derive(Clone)]
pub enum Code {
    Embedded(&'static [u8]),
    Owned(Arc<[u8]>),
}

impl AsRef<[u8]> for Code {
    fn as_ref(&self) -> &[u8] {
        match self {
            Code::Embedded(code) => code,
            Code::Owned(code) => code,
        }
    }
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
    code: OnceLock<Result<Code, String>>,
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
        Self { plugin, component: OnceLock::new(), code: OnceLock::new(), ready: Default::default() }
    }

    /// Whether the component is loaded, so that nothing slow stands before the call.
    pub fn is_compiled(&self) -> bool {
        self.component.get().is_some()
    }

    /// The capabilities that its manifest declares.
    pub fn declared(&self) -> &[Capability] {
        &self.plugin.declared
    }

    /// The machine code, for a process that runs the plugin in this one's place. It is not looked at here.
    pub fn code(&self, source: &Source<'_>) -> Result<&Code, Failure> {
        self.code.get_or_init(|| code(source, &self.plugin)).as_ref().map_err(|why| not_compiled(why))
    }

    /// Loads or compiles; several threads that ask at once wait for the first.
    pub fn compile(&self, source: &Source<'_>) -> Result<&Component, Failure> {
        self.component.get_or_init(|| compile(source, &self.plugin)).as_ref().map_err(|why| not_compiled(why))
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

fn not_compiled(why: &str) -> Failure {
    Failure::new(FailureKind::Load, "the component could not be compiled").cause(why)
}

fn compile(source: &Source<'_>, plugin: &Plugin) -> Result<Component, String> {
    if let Some(component) = plugin.precompiled.as_ref().and_then(|code| load(source.engine, code).ok()) {
        return Ok(component);
    }
    let digest = check_digest(plugin)?;
    // What is kept may be of no use to this machine, although it is ours.
    if let Some(component) = cached(source, &digest).and_then(|code| load(source.engine, &code).ok()) {
        return Ok(component);
    }
    load(source.engine, &make(source, plugin, &digest)?)
}

fn code(source: &Source<'_>, plugin: &Plugin) -> Result<Code, String> {
    if let Some(code) = &plugin.precompiled {
        return Ok(code.clone());
    }
    let digest = check_digest(plugin)?;
    match cached(source, &digest) {
        Some(code) => Ok(code),
        None => make(source, plugin, &digest),
    }
}

fn load(engine: &Engine, code: &Code) -> Result<Component, String> {
    // SAFETY: see `Code`. wasmtime checks that its settings fit this engine and this processor.
    #[expect(unsafe_code, reason = "machine code can only be loaded so")]
    let component = unsafe { Component::deserialize(engine, code) };
    component.map_err(|error| format!("{error:#}"))
}

fn check_digest(plugin: &Plugin) -> Result<[u8; 32], String> {
    let digest: [u8; 32] = sha2::Sha256::digest(&plugin.bytes).into();
    match Digest::from_bytes(digest) == plugin.digest {
        true => Ok(digest),
        false => Err(format!("its bytes have another digest than {}", plugin.digest)),
    }
}

fn cached(source: &Source<'_>, digest: &[u8; 32]) -> Option<Code> {
    source.cache?.get(digest).map(|code| Code::Owned(code.into()))
}

fn make(source: &Source<'_>, plugin: &Plugin, digest: &[u8; 32]) -> Result<Code, String> {
    let code = match source.compiler {
        Some(compiler) => compiler.compile(&plugin.bytes)?,
        None => sluice_engine_compile::compile(source.engine, &plugin.bytes)?,
    };
    if let Some(cache) = source.cache {
        cache.put(digest, &code);
    }
    Ok(Code::Owned(code.into()))
}
