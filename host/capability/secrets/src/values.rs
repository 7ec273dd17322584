use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The values of this machine's secrets by name. Cheap to clone; never printed.
#[derive(Clone, Default)]
pub struct SecretValues(Arc<HashMap<String, String>>);

impl SecretValues {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Only these, under other names: name -> name here.
    pub fn renamed<'n>(&self, names: impl IntoIterator<Item = (&'n String, &'n String)>) -> Self {
        names.into_iter().filter_map(|(new, old)| Some((new.clone(), self.get(old)?.to_owned()))).collect()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for SecretValues {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(values: I) -> Self {
        Self(Arc::new(values.into_iter().collect()))
    }
}

impl fmt::Debug for SecretValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}
