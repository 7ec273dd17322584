//! Compiles in a process of its own.
//!
//! A component of 264 KB can need gigabytes to compile, and one of 1.4 MB can end the process that compiles it. So what
//! comes from outside is compiled by a child with limits, and the worst that it can do is to fail.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, setrlimit};
use wasmtime::Engine;

use sluice_engine_compile::{compile, engine_config};

/// Address space of the child, in bytes. The largest components that stock toolchains make need about 1 GiB of it.
const ADDRESS_SPACE: u64 = 4 << 30;
/// Threads of the child at most.
const THREADS: &str = "8";
/// Processor time of the child, over all its threads, in seconds.
const PROCESSOR_SECONDS: u64 = 300;
/// The longest that compiling one component may take.
const TIME: Duration = Duration::from_secs(180);
/// The longest machine code that is taken from the child, in bytes.
const CODE_BYTES: u64 = 1 << 30;
/// How much of what the child says is kept, in bytes.
const WORDS: u64 = 4 << 10;
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(5);

/// How the child is started.
#[derive(Debug, Clone)]
pub struct CompilerCommand {
    pub program: PathBuf,
    /// Makes the program call [`compile_stdin`] and do nothing else.
    pub argument: String,
}

impl CompilerCommand {
    /// Compiles a component for an engine of [`engine_config`].
    ///
    /// # Errors
    /// Why not, for people: it is no component, it took too much, or the system failed.
    pub fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, String> {
        let mut child = Command::new(&self.program)
            .arg(&self.argument)
            .env_clear()
            // Every thread more takes address space, however many processors there are.
            .env("RAYON_NUM_THREADS", THREADS)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the compiler could not be started: {error}"))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (code, words, status) = thread::scope(|scope| {
            scope.spawn(move || {
                // A child that gives up does not read everything; its status says why.
                let _ = stdin.map(|mut stdin| stdin.write_all(wasm));
            });
            let code = scope.spawn(move || read(stdout, CODE_BYTES));
            let words = scope.spawn(move || read(stderr, WORDS));
            let status = wait(&mut child);
            (code.join().unwrap_or_default(), words.join().unwrap_or_default(), status)
        });
        let status = status.map_err(|error| format!("the compiler was lost: {error}"))?;
        match status {
            Some(status) if status.success() => Ok(code),
            Some(status) => Err(why(status, &String::from_utf8_lossy(&words))),
            None => Err(format!("compiling it took more than {} s", TIME.as_secs())),
        }
    }
}

/// `None` if its time was over.
fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + TIME;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

fn read(stream: Option<impl Read>, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // What is cut off does not load.
        let _ = stream.take(limit).read_to_end(&mut bytes);
    }
    bytes
}

fn why(status: ExitStatus, words: &str) -> String {
    match (status.code(), status.signal()) {
        (Some(REFUSED), _) => words.trim_end().to_owned(),
        (_, Some(signal)) if signal == nix::libc::SIGXCPU || signal == nix::libc::SIGKILL => {
            format!("compiling it took more than {PROCESSOR_SECONDS} s of processor time")
        }
        // What is told of an allocation that fails goes to people as a limit; the rest as it is.
        _ if words.contains("memory allocation") || words.contains("Cannot allocate memory") => {
            format!("compiling it needed more than {} GiB of memory", ADDRESS_SPACE >> 30)
        }
        _ => format!("the compiler broke ({status}): {}", words.trim_end()),
    }
}

/// The exit code of a child that found something wrong with the component, and said what.
const REFUSED: i32 = 1;

/// What the child does: limits itself, compiles the component on `input`, and writes the machine code to `output`. Gives
/// the exit code of the process.
pub fn compile_stdin(mut input: impl Read, mut output: impl Write, mut words: impl Write) -> u8 {
    let done = limit().map_err(|error| format!("the compiler could not be limited: {error}")).and_then(|()| {
        let mut wasm = Vec::new();
        input.read_to_end(&mut wasm).map_err(|error| error.to_string())?;
        let engine = Engine::new(&engine_config()).map_err(|error| format!("{error:#}"))?;
        let code = compile(&engine, &wasm)?;
        output.write_all(&code).and_then(|()| output.flush()).map_err(|error| error.to_string())
    });
    match done {
        Ok(()) => 0,
        Err(why) => {
            // Nobody reads it if the parent is gone.
            let _ = writeln!(words, "{why}");
            u8::try_from(REFUSED).unwrap_or(u8::MAX)
        }
    }
}

fn limit() -> nix::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    setrlimit(Resource::RLIMIT_CPU, PROCESSOR_SECONDS, PROCESSOR_SECONDS)?;
    setrlimit(Resource::RLIMIT_AS, ADDRESS_SPACE, ADDRESS_SPACE)
}
