use sluice_model::event::SeenBy;
use sluice_model::grant::{Capability, SecretGrant};
use sluice_model::{Audit, Denial, Ruling};
use wasmtime::component::{HasData, Linker};

use crate::{Placeholders, SecretValues, Taint};
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
    pub taint: Taint,
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

    /// As [`Secrets::value`], for host code that hands the value to a program: from then on the step is tainted by it.
    pub fn for_program(&self, name: &str, used: &str) -> Result<Option<&str>, String> {
        let value = self.value(name, used)?;
        if let Some(value) = value {
            self.taint.mark(name, value, SeenBy::Program);
        }
        Ok(value)
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

    fn reveal(&mut self, name: String) -> Result<String, secrets::Error> {
        let asked = format!("revealing the secret `{name}`");
        let Some(grant) = self.granted.iter().find(|grant| grant.name == name && grant.reveals()) else {
            let denial = Denial::new(Capability::Secrets, asked, format!("{name} reveal"));
            return Err(secrets::Error::Denied(self.audit.deny(denial)));
        };
        self.audit.decide(Ruling::allowed(Capability::Secrets, asked, grant));
        let Some(value) = self.values.get(&name) else {
            let text = format!("the secret `{name}` is granted, but this machine has no value for it");
            return Err(secrets::Error::NotFound(text));
        };
        self.taint.mark(&name, value, SeenBy::Plugin);
        Ok(value.to_owned())
    }
}
