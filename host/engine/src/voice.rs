//! Everything that a step says, on its way out: counted, cleaned, masked.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use sluice_capability_secrets::Mask;
use sluice_model::event::{Level, Stream};
use sluice_run::StepEvents;
use sluice_run::runner::Said;

use crate::text;

/// Lines of standard error that are kept to explain a trap.
const TAIL_LINES: usize = 20;
/// A line that is longer is cut in pieces of this many bytes.
const LINE_BYTES: usize = 64 * 1024;

/// A limit of the step was reached; the call ends with this error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitReached(pub String);

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LimitReached {}

/// The mouth of one step. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Voice(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    says: StepEvents,
    mask: Arc<Mask>,
    left: AtomicU64,
    limit: u64,
    muted: AtomicBool,
    stdout: Mutex<Vec<u8>>,
    stderr: Mutex<Vec<u8>>,
    tail: Mutex<VecDeque<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Voice {
    /// `limit` is the most that the step may say, in bytes.
    pub fn new(says: StepEvents, mask: Arc<Mask>, limit: u64) -> Self {
        Self(Arc::new(Inner {
            says,
            mask,
            left: AtomicU64::new(limit),
            limit,
            muted: AtomicBool::new(false),
            stdout: Mutex::default(),
            stderr: Mutex::default(),
            tail: Mutex::default(),
        }))
    }

    /// Counts bytes that the step says. Once the limit is reached, it stays reached.
    pub fn spend(&self, bytes: usize) -> Result<(), LimitReached> {
        let bytes = bytes as u64;
        let spent =
            self.0.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(bytes)));
        match spent {
            Ok(left) if left > bytes => Ok(()),
            _ => Err(LimitReached(format!("it said more than {} bytes, the most that a step may say", self.0.limit))),
        }
    }

    /// A text as it may leave.
    pub fn clean(&self, text: &str) -> String {
        text::clean_and_mask(text, &self.0.mask)
    }

    /// A text without secrets, otherwise unchanged.
    pub fn mask(&self, text: &str) -> String {
        self.0.mask.apply(text).into_owned()
    }

    /// Bytes that are no text, without secrets.
    pub fn mask_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.mask.end_of(bytes, bytes.len())
    }

    /// Every text within a value as it may leave, and every number.
    pub fn clean_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.clean(&text)),
            Value::Number(number) => match self.mask(&number.to_string()) {
                masked if masked.contains('*') => Value::String(masked),
                _ => Value::Number(number),
            },
            Value::Array(items) => items.into_iter().map(|item| self.clean_value(item)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(name, value)| (self.clean(&name), self.clean_value(value))).collect()
            }
            other => other,
        }
    }

    /// Says something whose texts are clean.
    pub fn say(&self, said: Said) {
        if !self.0.muted.load(Ordering::SeqCst) {
            self.0.says.say(said);
        }
    }

    /// Says nothing any more: the step was reported as ended.
    pub fn mute(&self) {
        self.0.muted.store(true, Ordering::SeqCst);
    }

    pub fn log(&self, stream: Stream, level: Level, text: &str) {
        self.say_line(stream, level, &self.clean(text));
    }

    fn say_line(&self, stream: Stream, level: Level, clean: &str) {
        self.say(Said::Log { stream, level, text: clean.strip_suffix('\n').unwrap_or(clean).to_owned() });
    }

    /// Bytes of an output stream, which become lines of the log.
    pub fn write(&self, stream: Stream, bytes: &[u8]) -> Result<(), LimitReached> {
        self.spend(bytes.len())?;
        let partial = if stream == Stream::Stderr { &self.0.stderr } else { &self.0.stdout };
        let mut partial = lock(partial);
        partial.extend_from_slice(bytes);
        let before = partial.len() - bytes.len();
        let end = match partial.iter().rposition(|byte| *byte == b'\n') {
            Some(line_feed) => self.0.mask.whole_lines(&partial, line_feed + 1),
            // Looked at anew only after many more bytes, so that a long line of short writes stays cheap.
            None if partial.len() >= LINE_BYTES + self.0.mask.holds_back()
                && before / LINE_BYTES != partial.len() / LINE_BYTES =>
            {
                self.0.mask.part_of_line(&partial)
            }
            None => 0,
        };
        if end == 0 {
            return Ok(());
        }
        let rest = partial.split_off(end);
        let lines = std::mem::replace(&mut *partial, rest);
        self.lines(stream, &lines);
        Ok(())
    }

    /// Says what stands on lines that were never ended.
    pub fn flush(&self) {
        for (stream, partial) in [(Stream::Stdout, &self.0.stdout), (Stream::Stderr, &self.0.stderr)] {
            let lines = std::mem::take(&mut *lock(partial));
            if !lines.is_empty() {
                self.lines(stream, &lines);
            }
        }
    }

    fn lines(&self, stream: Stream, lines: &[u8]) {
        let text = self.clean(&String::from_utf8_lossy(lines));
        if stream == Stream::Stderr {
            let mut tail = lock(&self.0.tail);
            for line in text.lines() {
                if tail.len() == TAIL_LINES {
                    tail.pop_front();
                }
                tail.push_back(line.chars().take(500).collect());
            }
        }
        let level = if stream == Stream::Stderr { Level::Warn } else { Level::Info };
        self.say_line(stream, level, &text);
    }

    /// The last lines of standard error.
    pub fn tail(&self) -> String {
        lock(&self.0.tail).iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// What a plugin wrote to standard error when it panicked, or its last words.
    pub fn last_words(&self) -> Option<String> {
        let tail = lock(&self.0.tail);
        let start = tail.iter().rposition(|line| line.contains("panicked at")).unwrap_or(tail.len().saturating_sub(3));
        let told = tail.iter().skip(start).filter(|line| !line.starts_with("note: run with `RUST_BACKTRACE"));
        let words = told.map(|line| line.trim()).collect::<Vec<_>>().join("\n");
        (!words.is_empty()).then_some(words)
    }
}
