//! Which values of secrets were handed into a step, and whether what it leaves behind holds one.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sluice_model::event::SeenBy;

use crate::Mask;

/// Told once of each secret.
pub type Tell = Arc<dyn Fn(&str, SeenBy) + Send + Sync>;

/// The taint of one step. Cheap to clone.
#[derive(Clone)]
pub struct Taint {
    tell: Tell,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    leaks: Vec<Leak>,
}

#[derive(Clone)]
struct Seen {
    name: String,
    search: Arc<Mask>,
}

/// A secret that stood in what the step was about to leave behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Its name.
    pub secret: String,
    /// Name of the artifact.
    pub artifact: String,
}

impl Taint {
    pub fn new(tell: Tell) -> Self {
        Self { tell, state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a secret is handed into the step now.
    pub fn mark(&self, name: &str, value: &str, by: SeenBy) {
        let mut state = self.state();
        if state.seen.iter().any(|seen| seen.name == name) {
            return;
        }
        state.seen.push(Seen { name: name.to_owned(), search: Arc::new(Mask::of_artifacts(value)) });
        drop(state);
        (self.tell)(name, by);
    }

    /// What was found so far.
    pub fn leaks(&self) -> Vec<Leak> {
        self.state().leaks.clone()
    }

    /// Looks at an artifact while it is written.
    pub fn watch(&self, artifact: &str) -> Watch {
        Watch { taint: self.clone(), artifact: artifact.to_owned(), last: Vec::new() }
    }
}

impl fmt::Debug for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Taint")
    }
}

/// Looks at a stream of bytes for the secrets that its step has seen.
#[derive(Debug)]
pub struct Watch {
    taint: Taint,
    artifact: String,
    /// What came last: the beginning of a value may be in it.
    last: Vec<u8>,
}

impl Watch {
    /// The next bytes. Once a secret is found, it stays found.
    ///
    /// # Errors
    /// Which secret stands in the stream, in words for the plugin.
    pub fn pass(&mut self, bytes: &[u8]) -> Result<(), String> {
        let seen = self.taint.state().seen.clone();
        self.last.extend_from_slice(bytes);
        if let Some(found) = seen.iter().find(|seen| seen.search.is_in(&self.last)) {
            let leak = Leak { secret: found.name.clone(), artifact: self.artifact.clone() };
            let text = format!("the artifact holds the value of the secret `{}`", leak.secret);
            let mut state = self.taint.state();
            if !state.leaks.contains(&leak) {
                state.leaks.push(leak);
            }
            return Err(text);
        }
        // What came before the step saw a value cannot hold one.
        let keep = seen.iter().map(|seen| seen.search.holds_back()).max().unwrap_or_default();
        self.last.drain(..self.last.len().saturating_sub(keep));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "correct-horse-battery";

    fn tainted() -> Taint {
        let taint = Taint::new(Arc::new(|_, _| {}));
        taint.mark("KEY", VALUE, SeenBy::Plugin);
        taint
    }

    #[test]
    fn a_value_is_found_in_whatever_pieces_and_forms_it_comes() {
        for text in [
            format!("a {VALUE} b"),
            "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5".to_owned(),
            "636f72726563742d686f7273652d62617474657279".to_owned(),
            "correct%2Dhorse%2Dbattery".to_owned(),
        ] {
            for size in [1, 7, 1000] {
                let taint = tainted();
                let mut watch = taint.watch("a.bin");
                let results: Vec<_> = text.as_bytes().chunks(size).map(|chunk| watch.pass(chunk)).collect();
                let error = results.into_iter().find_map(Result::err).expect("it is found");
                assert_eq!(error, "the artifact holds the value of the secret `KEY`");
                assert_eq!(taint.leaks(), [Leak { secret: "KEY".to_owned(), artifact: "a.bin".to_owned() }]);
            }
        }
    }

    #[test]
    fn other_bytes_pass() {
        let taint = tainted();
        let mut watch = taint.watch("a.bin");
        for chunk in [&b"correct"[..], b" horse", b"-battery", &[0; 5000]] {
            assert_eq!(watch.pass(chunk), Ok(()));
        }
        assert_eq!(taint.leaks(), []);
        let clean = Taint::new(Arc::new(|_, _| {}));
        assert_eq!(clean.watch("a.bin").pass(VALUE.as_bytes()), Ok(()), "a step that has not seen it");
    }

    #[test]
    fn lines_that_every_key_has_are_no_leak() {
        let taint = Taint::new(Arc::new(|_, _| {}));
        let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHh4eHh4eHh4\n-----END PRIVATE KEY-----\n";
        taint.mark("KEY", key, SeenBy::Program);
        let other = key.replace("Hh4", "Ij5");
        assert_eq!(taint.watch("a").pass(other.as_bytes()), Ok(()));
        assert!(taint.watch("a").pass(b"> MC4CAQAwBQYDK2VwBCIEIHh4eHh4eHh4").is_err());
    }

    #[test]
    fn each_secret_is_told_once() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = told.clone();
        let taint = Taint::new(Arc::new(move |name, by| heard.lock().unwrap().push((name.to_owned(), by))));
        taint.mark("A", "value of a", SeenBy::Program);
        taint.mark("A", "value of a", SeenBy::Plugin);
        taint.mark("B", "value of b", SeenBy::Plugin);
        assert_eq!(*told.lock().unwrap(), [("A".to_owned(), SeenBy::Program), ("B".to_owned(), SeenBy::Plugin)]);
    }
}
