use sluice_model::grant::{Capability, SecretGrant};
use sluice_model::{Audit, Denial, Ruling};
use wasmtime::component::{HasData, Linker};

use crate::{Placeholders, SecretValues};
use bindings::sluice::host::secrets;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../wit/deps/host",
        interfaces: "import sluice:host/secrets@1.0.0;",
    });
}

/// What one step may do with secrets.
#[derive(Debug, Clone)]
pub struct Secrets {
    pub granted: Vec<SecretGrant>,
    pub values: SecretValues,
    pub placeholders: Placeholders,
    pub audit: Audit,
}

impl Secrets {
    /// The value of a granted secret, for host code that puts it where the plugin cannot see it. `used` says how, for the
    /// record: `as a placeholder`. The error is for the plugin; `Ok(None)` says that this machine has no value.
    pub fn value(&self, name: &str, used: &str) -> Result<Option<&str>, String> {
        if let Some(grant) = self.granted.iter().find(|grant| grant.name == name) {
            let asked = format!("the secret `{name}` {used}");
            self.audit.decide(Ruling::allowed(Capability::Secrets, asked, grant));
            return Ok(self.values.get(name));
        }
        Err(self.audit.deny(Denial::new(Capability::Secrets, format!("the secret `{name}`"), name)))
    }
}

/// State that has secrets.
pub trait SecretsView: 'static {
    fn secrets(&mut self) -> &mut Secrets;
}

struct HasSecrets;

impl HasData for HasSecrets {
    type Data<'a> = &'a mut Secrets;
}

/// Adds `sluice:host/secrets`.
pub fn add_to_linker<T: SecretsView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    secrets::add_to_linker::<T, HasSecrets>(linker, T::secrets)
}

impl secrets::Host for Secrets {
    fn placeholder(&mut self, name: String) -> Result<String, secrets::Error> {
        let missing = |why: &str| secrets::Error::NotFound(format!("the secret `{name}` is granted, but {why}"));
        match self.value(&name, "as a placeholder") {
            Err(denied) => Err(secrets::Error::Denied(denied)),
            Ok(None) => Err(missing("this machine has no value for it")),
            Ok(Some(value)) => {
                self.placeholders.stand_in(&name, value).map_err(|_| missing("this machine has no random numbers"))
            }
        }
    }
}
