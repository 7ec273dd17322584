use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Mask;

/// The stand-ins that one step was given. Cheap to clone.
#[derive(Clone, Default)]
pub struct Placeholders(Arc<Mutex<Vec<Placeholder>>>);

struct Placeholder {
    name: String,
    text: String,
    value: String,
    /// Finds the value in what comes back, once it was sent.
    sent: Option<Arc<Mask>>,
}

impl Placeholders {
    fn list(&self) -> MutexGuard<'_, Vec<Placeholder>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A text that stands for the value: the same for every request of this step, unguessable, worthless elsewhere. It is
    /// also the name of a host that cannot exist, so that it may stand for a whole URL. Fails when the system gives no
    /// random numbers.
    pub(crate) fn stand_in(&self, name: &str, value: &str) -> Result<String, getrandom::Error> {
        let mut list = self.list();
        if let Some(known) = list.iter().find(|placeholder| placeholder.name == name) {
            return Ok(known.text.clone());
        }
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("sluice-secret-{random}");
        list.push(Placeholder { name: name.to_owned(), text: text.clone(), value: value.to_owned(), sent: None });
        Ok(text)
    }

    /// The text with every stand-in replaced by what `write` makes of the secret's name and value, and the names; `None`
    /// when there is none in it.
    pub fn replace(&self, text: &str, write: impl Fn(&str, &str) -> String) -> Option<(String, Vec<String>)> {
        let mut replaced: Option<(String, Vec<String>)> = None;
        for placeholder in self.list().iter() {
            let current = replaced.as_ref().map_or(text, |(text, _)| text.as_str());
            if current.contains(&placeholder.text) {
                let new = current.replace(&placeholder.text, &write(&placeholder.name, &placeholder.value));
                let mut names = replaced.take().map(|(_, names)| names).unwrap_or_default();
                names.push(placeholder.name.clone());
                replaced = Some((new, names));
            }
        }
        replaced
    }

    /// Name and value of the secret that the text, as a whole, stands for.
    pub fn exactly(&self, text: &str) -> Option<(String, String)> {
        let list = self.list();
        let found = list.iter().find(|placeholder| placeholder.text.eq_ignore_ascii_case(text))?;
        Some((found.name.clone(), found.value.clone()))
    }

    /// Remembers that a request carries the secret.
    pub fn sent(&self, name: &str) {
        for placeholder in self.list().iter_mut().filter(|placeholder| placeholder.name == name) {
            let value = &placeholder.value;
            placeholder.sent.get_or_insert_with(|| Arc::new(Mask::of([value.as_str()])));
        }
    }

    /// What finds the values of all secrets that requests of this step carried so far.
    pub fn masks(&self) -> Vec<Arc<Mask>> {
        self.list().iter().filter_map(|placeholder| placeholder.sent.clone()).collect()
    }
}

impl fmt::Debug for Placeholders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Placeholders")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_replaced_wherever_it_stands() {
        let placeholders = Placeholders::default();
        let value = |_: &str, value: &str| value.to_owned();
        let text = placeholders.stand_in("TOKEN", "abc").unwrap();
        assert_eq!(placeholders.stand_in("TOKEN", "abc").unwrap(), text, "one stand-in for one secret");
        let replaced = placeholders.replace(&format!("Bearer {text}"), value).unwrap();
        assert_eq!(replaced, ("Bearer abc".to_owned(), vec!["TOKEN".to_owned()]));
        assert_eq!(placeholders.replace("Bearer other", value), None);
        assert_eq!(Placeholders::default().replace(&text, value), None, "another step's");
        assert_eq!(placeholders.exactly(&text), Some(("TOKEN".to_owned(), "abc".to_owned())));
        assert_eq!(placeholders.exactly(&format!("{text}.example.com")), None);
    }
}
