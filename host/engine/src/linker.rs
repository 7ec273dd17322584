//! What a component may import, by profile.

use sluice_model::Grants;
use sluice_model::grant::Capability;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::types;
use crate::state::State;

/// Which of our interfaces are linked: those that the manifest declares or the step is granted. All of WASI 0.2 and
/// `wasi:http` always are, since toolchains import more of them than a program uses; their contexts deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Profile(u8);

/// The capabilities that are interfaces of `sluice:host`, each with its bit.
const INTERFACES: [Capability; 3] = [Capability::Exec, Capability::Secrets, Capability::Artifacts];

impl Profile {
    pub const COUNT: usize = 1 << INTERFACES.len();

    pub fn new(declared: &[Capability], granted: &Grants) -> Self {
        let bits = INTERFACES.iter().enumerate().filter(|(_, it)| declared.contains(it) || granted.has(**it));
        Self(bits.fold(0, |bits, (i, _)| bits | 1 << i))
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    fn has(self, capability: Capability) -> bool {
        INTERFACES.iter().position(|it| *it == capability).is_some_and(|i| self.0 >> i & 1 == 1)
    }
}

pub fn linker(engine: &Engine, profile: Profile) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    sluice_capability_files::add_to_linker(&mut linker)?;
    sluice_capability_tcp::add_to_linker(&mut linker)?;
    sluice_capability_http::add_to_linker(&mut linker)?;
    types::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    if profile.has(Capability::Exec) {
        sluice_capability_exec::add_to_linker(&mut linker)?;
    }
    if profile.has(Capability::Secrets) {
        sluice_capability_secrets::add_to_linker(&mut linker)?;
    }
    if profile.has(Capability::Artifacts) {
        sluice_capability_artifacts::add_to_linker(&mut linker)?;
    }
    Ok(linker)
}
