use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The stand-ins that one step was given. Cheap to clone.
#[derive(Clone, Default)]
pub struct Placeholders(Arc<Mutex<Vec<Placeholder>>>);

struct Placeholder {
    name: String,
    text: String,
    value: String,
}

impl Placeholders {
    /// A text that stands for the value: the same for every request of this step, unguessable, worthless elsewhere.
    /// Fails when the system gives no random numbers.
    pub(crate) fn stand_in(&self, name: &str, value: &str) -> Result<String, getrandom::Error> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = list.iter().find(|placeholder| placeholder.name == name) {
            return Ok(known.text.clone());
        }
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("sluice-secret-{random}");
        list.push(Placeholder { name: name.to_owned(), text: text.clone(), value: value.to_owned() });
        Ok(text)
    }

    /// The text with every stand-in replaced by its value, and the names of these secrets; `None` when there is none in
    /// it.
    pub fn replace(&self, text: &str) -> Option<(String, Vec<String>)> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut replaced, mut names) = (None, Vec::new());
        for placeholder in list.iter() {
            let current = replaced.as_deref().unwrap_or(text);
            if current.contains(&placeholder.text) {
                replaced = Some(current.replace(&placeholder.text, &placeholder.value));
                names.push(placeholder.name.clone());
            }
        }
        replaced.map(|text| (text, names))
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
        let text = placeholders.stand_in("TOKEN", "abc").unwrap();
        assert_eq!(placeholders.stand_in("TOKEN", "abc").unwrap(), text, "one stand-in for one secret");
        let replaced = Some(("Bearer abc".to_owned(), vec!["TOKEN".to_owned()]));
        assert_eq!(placeholders.replace(&format!("Bearer {text}")), replaced);
        assert_eq!(placeholders.replace("Bearer other"), None);
        assert_eq!(Placeholders::default().replace(&text), None, "another step's");
    }
}
