//! The clock by which components yield.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

/// How long a component may run before it yields.
pub const TICK: Duration = Duration::from_millis(10);

/// Advances the engine's epoch while any step runs.
#[derive(Debug)]
pub struct Ticker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    closed: bool,
}

impl Ticker {
    /// Fails when the system gives no thread.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (for_thread, engine) = (Arc::clone(&shared), engine.weak());
        std::thread::Builder::new().name("sluice-ticker".into()).spawn(move || {
            while for_thread.wait_for_work() {
                std::thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else { break };
                engine.increment_epoch();
            }
        })?;
        Ok(Self(shared))
    }

    /// Ticks until the guard is dropped.
    pub fn run(&self) -> Running {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running += 1;
        if state.running == 1 {
            self.0.changed.notify_one();
        }
        Running(Arc::clone(&self.0))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn wait_for_work(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.changed.wait_while(state, |state| state.running == 0 && !state.closed);
        !state.unwrap_or_else(PoisonError::into_inner).closed
    }
}

/// While this lives, the ticker ticks.
#[derive(Debug)]
pub struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
    }
}
