use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sluice_capability_secrets::Mask;
use sluice_model::grant::{Capability, ExecGrant, normalise_path};
use sluice_model::{Audit, Denial, Ruling, Verdict};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::command::{Checked, Command, Stopped, outcome};
use crate::processes::Processes;
use crate::program;
use bindings::sluice::host::exec;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../wit/deps/host",
        interfaces: "import sluice:host/exec@1.0.0;",
        with: { "sluice:host/exec.command": crate::command::Command },
        imports: {
            "sluice:host/exec.[method]command.run": async | trappable,
            default: trappable,
        },
    });
}

/// The most that one command may hold of arguments, variables and input together, in bytes.
const COMMAND_BYTES: usize = 64 << 20;

/// Which output stream of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipe {
    Stdout,
    Stderr,
}

/// The value of a secret that the step was granted, if this machine has one, for a variable of a program: secret,
/// variable. The error is for the plugin.
pub type RevealSecret = Arc<dyn Fn(&str, &str) -> Result<Option<String>, String> + Send + Sync>;

/// Gets the output of programs as it comes; an error traps the plugin.
pub type Listen = Arc<dyn Fn(Pipe, &[u8]) -> wasmtime::Result<()> + Send + Sync>;

/// What one step may do with programs.
pub struct Exec {
    pub granted: Vec<ExecGrant>,
    /// Canonical.
    pub workspace: PathBuf,
    /// Where programs are looked for, in order.
    pub search_path: Vec<PathBuf>,
    /// The environment of every program, before what the plugin adds. Nothing else is inherited.
    pub environment: Vec<(String, String)>,
    pub secret: RevealSecret,
    pub listen: Listen,
    /// What a program prints may hold secrets; the plugin does not see them.
    pub mask: Arc<Mask>,
    pub processes: Processes,
    pub audit: Audit,
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec").field("granted", &self.granted).finish_non_exhaustive()
    }
}

/// State that has programs.
pub trait ExecView: Send + 'static {
    fn exec(&mut self) -> (&mut Exec, &mut ResourceTable);
}

struct HasExec;

impl HasData for HasExec {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    exec: &'a mut Exec,
    table: &'a mut ResourceTable,
}

/// Adds `sluice:host/exec`.
pub fn add_to_linker<T: ExecView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    exec::add_to_linker::<T, HasExec>(linker, |state| {
        let (exec, table) = state.exec();
        View { exec, table }
    })
}

impl Exec {
    fn deny(&self, asked: String, why: Option<String>, grant: Option<&str>) -> exec::Error {
        let denial = Denial { capability: Capability::Exec, asked, why, grant: grant.map(str::to_owned) };
        exec::Error::Denied(self.audit.deny(denial))
    }

    fn program(&self, name: &str) -> Result<PathBuf, exec::Error> {
        let asked = || format!("running `{}`", name.escape_default());
        if name.parse::<ExecGrant>().is_err() {
            return Err(self.deny(asked(), Some("a program is a name on the search path, not a path".into()), None));
        }
        if !self.granted.iter().any(|grant| grant.program == name) {
            return Err(self.deny(asked(), None, Some(name)));
        }
        program::find(name, &self.search_path, &self.workspace).ok_or_else(|| {
            let why = "it is granted, but found nowhere on the search path outside the workspace";
            self.audit.decide(Ruling::without_grant(Capability::Exec, asked(), Verdict::Denied, why));
            exec::Error::NotFound(format!("the program `{name}` is granted, but it is not installed on this machine"))
        })
    }

    fn directory(&self, path: Option<&str>) -> Result<PathBuf, exec::Error> {
        let Some(path) = path else { return Ok(self.workspace.clone()) };
        let deny =
            |why: String| self.deny(format!("running a program in `{}`", path.escape_default()), Some(why), None);
        let normal = normalise_path(path).map_err(deny)?;
        program::directory(&normal, &self.workspace)
            .ok_or_else(|| deny("it is not a folder inside the workspace".into()))
    }

    fn environment(&self, command: &Command) -> Result<Vec<(String, String)>, exec::Error> {
        let mut environment = self.environment.clone();
        for name in command.environment.iter().chain(&command.secrets).map(|(name, _)| name) {
            if is_dangerous(name) {
                let asked = format!("setting the variable `{}` of a program", name.escape_default());
                return Err(self.deny(asked, Some("it decides which code the program runs".into()), None));
            }
        }
        environment.extend(command.environment.iter().cloned());
        for (name, secret) in &command.secrets {
            let value = (self.secret)(secret, name).map_err(exec::Error::Denied)?.ok_or_else(|| {
                exec::Error::NotFound(format!("the secret `{secret}` is granted, but this machine has no value for it"))
            })?;
            environment.push((name.clone(), value));
        }
        if environment.iter().any(|(name, value)| name.is_empty() || name.contains(['=', '\0']) || value.contains('\0'))
        {
            return Err(exec::Error::Failed("the name or value of a variable is not valid".into()));
        }
        Ok(environment)
    }
}

/// The program may run.
fn ruling(command: &Command, program: &Path) -> Ruling {
    let ruling = Ruling::allowed(Capability::Exec, format!("running `{}`", command.program), &command.program)
        .detail("program", program.display().to_string());
    let ruling = match command.arguments.is_empty() {
        true => ruling,
        false => ruling.detail("arguments", command.arguments.join(" ")),
    };
    match command.directory.as_deref().filter(|directory| *directory != ".") {
        Some(directory) => ruling.detail("directory", directory),
        None => ruling,
    }
}

/// Variables with which a plugin would choose the code that a granted program runs.
fn is_dangerous(name: &str) -> bool {
    name == "PATH" || name.starts_with("LD_") || name.starts_with("DYLD_") || name == crate::processes::MARK
}

impl View<'_> {
    fn change(
        &mut self,
        command: Resource<Command>,
        bytes: usize,
        change: impl FnOnce(&mut Command),
    ) -> wasmtime::Result<()> {
        let command = self.table.get_mut(&command)?;
        if command.size() + bytes > COMMAND_BYTES {
            return Err(wasmtime::Error::msg("a command holds more than 64 MiB of arguments, variables and input"));
        }
        change(command);
        Ok(())
    }
}

impl Command {
    fn size(&self) -> usize {
        let pairs = self.environment.iter().chain(&self.secrets).map(|(name, value)| name.len() + value.len());
        self.stdin.len() + self.arguments.iter().map(String::len).sum::<usize>() + pairs.sum::<usize>()
    }
}

impl exec::Host for View<'_> {}

impl exec::HostCommand for View<'_> {
    fn new(&mut self, program: String) -> wasmtime::Result<Resource<Command>> {
        Ok(self.table.push(Command { program, ..Command::default() })?)
    }

    fn args(&mut self, command: Resource<Command>, arguments: Vec<String>) -> wasmtime::Result<()> {
        let bytes = arguments.iter().map(String::len).sum();
        self.change(command, bytes, |command| command.arguments.extend(arguments))
    }

    fn env(&mut self, command: Resource<Command>, name: String, value: String) -> wasmtime::Result<()> {
        self.change(command, name.len() + value.len(), |command| command.environment.push((name, value)))
    }

    fn env_secret(&mut self, command: Resource<Command>, name: String, secret: String) -> wasmtime::Result<()> {
        self.change(command, name.len() + secret.len(), |command| command.secrets.push((name, secret)))
    }

    fn directory(&mut self, command: Resource<Command>, path: String) -> wasmtime::Result<()> {
        self.change(command, 0, |command| command.directory = Some(path))
    }

    fn stdin(&mut self, command: Resource<Command>, bytes: Vec<u8>) -> wasmtime::Result<()> {
        self.change(command, bytes.len(), |command| command.stdin = bytes)
    }

    fn time_limit(&mut self, command: Resource<Command>, milliseconds: u64) -> wasmtime::Result<()> {
        self.change(command, 0, |command| command.time_limit = Some(Duration::from_millis(milliseconds)))
    }

    fn quiet(&mut self, command: Resource<Command>) -> wasmtime::Result<()> {
        self.change(command, 0, |command| command.quiet = true)
    }

    async fn run(&mut self, command: Resource<Command>) -> wasmtime::Result<Result<exec::Status, exec::Error>> {
        let exec = &*self.exec;
        let command = self.table.get_mut(&command)?;
        let checked = (|| {
            let program = exec.program(&command.program)?;
            let directory = exec.directory(command.directory.as_deref())?;
            Ok((program, directory, exec.environment(command)?))
        })();
        let (program, directory, environment) = match checked {
            Ok(checked) => checked,
            Err(error) => return Ok(Err(error)),
        };
        exec.audit.decide(ruling(command, &program));
        let checked = Checked { program: &program, directory: &directory, environment };
        match command.run(checked, &exec.processes, &*exec.listen, &exec.mask).await {
            Ok(status) => Ok(Ok(match outcome(status) {
                Ok(code) => exec::Status::Exited(code),
                Err(signal) => exec::Status::Signalled(signal),
            })),
            Err(Stopped::System(error)) => {
                Ok(Err(exec::Error::Failed(format!("the system could not run `{}`: {error}", command.program))))
            }
            Err(Stopped::Overdue(limit)) => {
                Ok(Err(exec::Error::Failed(format!("`{}` was ended after {limit:?}, its time limit", command.program))))
            }
            Err(Stopped::Listener(error)) => Err(error),
        }
    }

    fn stdout(&mut self, command: Resource<Command>) -> wasmtime::Result<Vec<u8>> {
        Ok(self.table.get(&command)?.stdout.clone())
    }

    fn stderr(&mut self, command: Resource<Command>) -> wasmtime::Result<Vec<u8>> {
        Ok(self.table.get(&command)?.stderr.clone())
    }

    fn drop(&mut self, command: Resource<Command>) -> wasmtime::Result<()> {
        self.table.delete(command)?;
        Ok(())
    }
}
