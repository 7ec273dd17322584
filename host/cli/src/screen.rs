//! Shows a run while it goes on: moving lines at a terminal, plain lines or JSON elsewhere.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sluice_beneath::Links;
use sluice_model::Event;
use sluice_report::{Live, Look, Options, Plain, Size, json};

use crate::output::Output;

/// How often the moving part is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// A source file longer than this gets no frame, in bytes.
const MAX_SOURCE_BYTES: u64 = 4 << 20;

/// Milliseconds since the Unix epoch.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Live,
    Plain,
    /// Plain lines, and one for each decision of the host.
    Decisions,
    Json,
}

/// Shows events. What cannot be shown is remembered and told by [`Screen::finish`].
pub struct Screen {
    shown: Shown,
    failed: Option<io::Error>,
}

enum Shown {
    Live { painter: Arc<Painter>, thread: JoinHandle<()> },
    Plain(Box<Plain>),
    Json,
}

impl Screen {
    pub fn new(mode: Mode, output: &Output, record: Option<String>, workspace: &Path) -> Self {
        let options = options(output.look(), record, workspace);
        let shown = match mode {
            Mode::Json => Shown::Json,
            Mode::Plain => Shown::Plain(Box::new(Plain::new(options, output.width()))),
            Mode::Decisions => Shown::Plain(Box::new(Plain::new(options, output.width()).with_decisions())),
            Mode::Live => {
                let state = Painting { live: Live::new(options, size()), lines: 0, held: Held::No, done: false };
                let painter = Arc::new(Painter { state: Mutex::new(state), wake: Condvar::new() });
                let own = painter.clone();
                Shown::Live { thread: std::thread::spawn(move || own.paint_until_done()), painter }
            }
        };
        Self { shown, failed: None }
    }

    pub fn on_event(&mut self, event: &Event) {
        let result = match &mut self.shown {
            Shown::Live { painter, .. } => {
                painter.lock().live.on_event(event);
                Ok(())
            }
            _ if self.failed.is_some() => Ok(()),
            Shown::Plain(plain) => {
                let mut text = Vec::new();
                plain.on_event(event, &mut text).and_then(|()| write(&text))
            }
            Shown::Json => {
                let mut text = Vec::new();
                json::write(event, &mut text).and_then(|()| write(&text))
            }
        };
        if let Err(error) = result {
            self.failed.get_or_insert(error);
        }
    }

    /// What keeps the moving part still while somebody is asked.
    pub fn holder(&self) -> Holder {
        Holder(match &self.shown {
            Shown::Live { painter, .. } => Some(painter.clone()),
            Shown::Plain(_) | Shown::Json => None,
        })
    }

    /// Shows the last state. Returns why something could not be shown; a reader that went away is no reason.
    pub fn finish(self) -> Option<io::Error> {
        if let Shown::Live { painter, thread } = self.shown {
            painter.lock().done = true;
            painter.wake.notify_all();
            let _ = thread.join();
        }
        self.failed.filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }
}

fn write(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text)?;
    stdout.flush()
}

/// What reporters are told beside the events.
pub fn options(look: Look, record: Option<String>, workspace: &Path) -> Options {
    let workspace = workspace.to_owned();
    Options { look, record, read_source: Box::new(move |path| read_source(&workspace, path)) }
}

/// The text of a file of the workspace. Paths come from plugins: nothing is followed out of the workspace.
fn read_source(workspace: &Path, path: &str) -> Option<String> {
    let path = sluice_model::grant::normalise_path(path).ok()?;
    let file = sluice_beneath::open(workspace, path, Links::Never).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_SOURCE_BYTES + 1).read_to_end(&mut bytes).ok()?;
    let whole = bytes.len() as u64 <= MAX_SOURCE_BYTES;
    whole.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn size() -> Size {
    match terminal_size::terminal_size() {
        Some((terminal_size::Width(columns), terminal_size::Height(rows))) => {
            Size { columns: columns.into(), rows: rows.into() }
        }
        None => Size { columns: 80, rows: 24 },
    }
}

/// Draws the moving part from a thread of its own, so that neither steps nor events wait for the terminal.
struct Painter {
    state: Mutex<Painting>,
    wake: Condvar,
}

/// Keeps the moving part of a screen still, if it has one.
#[derive(Clone)]
pub struct Holder(Option<Arc<Painter>>);

impl Holder {
    /// Returns when everything so far has been shown, and nothing more will be until [`Holder::release`].
    pub fn hold(&self) {
        let Some(painter) = &self.0 else { return };
        let mut state = painter.lock();
        state.held = Held::Wanted;
        painter.wake.notify_all();
        while state.held == Held::Wanted && !state.done {
            state = painter.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn release(&self) {
        let Some(painter) = &self.0 else { return };
        painter.lock().held = Held::No;
        painter.wake.notify_all();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    No,
    Wanted,
    Yes,
}

struct Painting {
    live: Live,
    /// Height of the moving part that stands on the terminal.
    lines: usize,
    held: Held,
    done: bool,
}

impl Painter {
    fn lock(&self) -> MutexGuard<'_, Painting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paint_until_done(&self) {
        let _ = write(b"\x1b[?25l");
        let mut state = self.lock();
        loop {
            let (held, done) = (state.held, state.done);
            let text = if held == Held::Yes && !done { String::new() } else { state.next_frame() };
            drop(state);
            let _ = write(text.as_bytes());
            if done {
                break;
            }
            state = self.lock();
            if held == Held::Wanted && state.held == Held::Wanted {
                state.held = Held::Yes;
                self.wake.notify_all();
            }
            if !state.done {
                state = self.wake.wait_timeout(state, FRAME).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        let _ = write(b"\x1b[?25h");
    }
}

impl Painting {
    fn next_frame(&mut self) -> String {
        self.live.resize(size());
        let mut text = String::new();
        if self.lines > 0 {
            // Up to the first line of the last frame, and clear from there.
            text.push_str(&format!("\x1b[{}A\r\x1b[J", self.lines));
        }
        text.push_str(&self.live.take_scrollback());
        let moving = self.held == Held::No && !self.done;
        let frame = if moving { self.live.frame(now()) } else { String::new() };
        // Whoever types wants to see where.
        text.push_str(if moving { "\x1b[?25l" } else { "\x1b[?25h" });
        self.lines = frame.lines().count();
        text.push_str(&frame);
        text
    }
}
