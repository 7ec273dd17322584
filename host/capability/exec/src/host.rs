use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sluice_capability_secrets::Mask;
use sluice_confine::Confined;
use sluice_model::grant::{Capability, ExecGrant, normalise_path};
use sluice_model::{Audit, Denial, Digest, Ruling, Verdict};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::command::{Checked, Command, Launched, Stopped, outcome};
use crate::confine::{Confine, Digests};
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
    /// What every program gets of the host's environment. Nothing else is inherited.
    pub inherited: Vec<(String, String)>,
    /// What the workflow adds to it, before what the plugin adds.
    pub environment: Vec<(String, String)>,
    /// `None` runs programs with all rights of the account.
    pub confine: Option<Confine>,
    pub digests: Digests,
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
    /// The program may run: with which grant, and what it is.
    fn ruling(&self, command: &Command, program: &Path, digest: Option<Digest>, confined: bool) -> Ruling {
        let allows = |grant: &&ExecGrant| grant.allows(&command.program, &command.arguments);
        let rule = self.granted.iter().find(allows).map_or_else(|| command.program.clone(), ToString::to_string);
        let mut ruling = Ruling::allowed(Capability::Exec, format!("running `{}`", command.program), rule)
            .detail("program", program.display().to_string());
        if let Some(digest) = digest {
            ruling = ruling.detail("digest", digest.to_string());
        }
        if !command.arguments.is_empty() {
            ruling = ruling.detail("arguments", command.arguments.join(" "));
        }
        if let Some(directory) = command.directory.as_deref().filter(|directory| *directory != ".") {
            ruling = ruling.detail("directory", directory);
        }
        if confined { ruling } else { ruling.detail("confined", "no") }
    }

    fn deny(&self, asked: String, why: Option<String>, grant: Option<&str>) -> exec::Error {
        let denial = Denial { capability: Capability::Exec, asked, why, grant: grant.map(str::to_owned) };
        exec::Error::Denied(self.audit.deny(denial))
    }

    fn program(&self, command: &Command) -> Result<PathBuf, exec::Error> {
        let (name, arguments) = (command.program.as_str(), command.arguments.as_slice());
        let asked = || format!("running `{}`", name.escape_default());
        // A path, or a name with arguments in it, is no name.
        if !matches!(name.parse::<ExecGrant>(), Ok(grant) if grant.program == name) {
            return Err(self.deny(asked(), Some("a program is a name on the search path, not a path".into()), None));
        }
        if !self.granted.iter().any(|grant| grant.program == name) {
            return Err(self.deny(asked(), None, Some(name)));
        }
        if !self.granted.iter().any(|grant| grant.allows(name, arguments)) {
            let grant = ExecGrant::exactly(name, arguments).map(|grant| grant.to_string());
            return Err(self.deny(format!("{} with these arguments", asked()), None, grant.as_deref()));
        }
        // First where a confined program finds the others that it runs.
        let open = self.runnable()?;
        let found = open.and_then(|folders| program::find(name, folders, &self.workspace));
        found.or_else(|| program::find(name, &self.search_path, &self.workspace)).ok_or_else(|| {
            let why = "it is granted, but found nowhere on the search path outside the workspace";
            self.audit.decide(Ruling::without_grant(Capability::Exec, asked(), Verdict::Denied, why));
            exec::Error::NotFound(format!("the program `{name}` is granted, but it is not installed on this machine"))
        })
    }

    fn confined(&self) -> Result<Option<&Confined>, exec::Error> {
        self.confine.as_ref().map(Confine::confined).transpose().map_err(exec::Error::Failed)
    }

    /// The folders of the search path from which a confined program can run others.
    fn runnable(&self) -> Result<Option<&[PathBuf]>, exec::Error> {
        let runnable = self.confine.as_ref().map(|confine| confine.runnable(&self.search_path));
        runnable.transpose().map_err(exec::Error::Failed)
    }

    /// How a program is started, if it is confined: it may also read itself.
    fn launched(&self, program: &std::path::Path) -> Result<Option<Launched<'_>>, exec::Error> {
        let (Some(confine), Some(confined)) = (&self.confine, self.confined()?) else { return Ok(None) };
        let mut confinement = confined.confinement.clone();
        confinement.read.push(program.to_owned());
        Ok(Some(Launched { launcher: &confine.launcher, confinement }))
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
        let mut environment = self.inherited.clone();
        if let Some(confined) = self.confined()? {
            if let (Some(folders), Some((_, path))) =
                (self.runnable()?, environment.iter_mut().find(|(name, _)| name == "PATH"))
            {
                // A shell stops at a program that it may not run, though there is another further on.
                let last = self.search_path.iter().filter(|folder| !folders.contains(folder));
                let all = folders.iter().chain(last).map(|folder| folder.to_string_lossy());
                *path = all.collect::<Vec<_>>().join(":");
            }
            environment.extend(confined.variables.iter().cloned());
        }
        environment.extend(self.environment.iter().cloned());
        for name in command.environment.iter().chain(&command.secrets).map(|(name, _)| name) {
            if is_dangerous(name) {
                let asked = format!("setting the variable `{}` of a program", name.escape_default());
                return Err(self.deny(
                    asked,
                    Some("it decides which code the program runs; a workflow may set it, as `env` of the step".into()),
                    None,
                ));
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

/// Variables with which a plugin would choose the code that a granted program runs, past the patterns of its arguments: those
/// of the loader, of interpreters, and of git. No list of them is whole; the system confines what runs anyway.
fn is_dangerous(name: &str) -> bool {
    const NAMES: [&str; 40] = [
        "PATH",
        "BASH_ENV",
        "ENV",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
        "PERL5OPT",
        "PERL5LIB",
        "PERL5DB",
        "PERLLIB",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "RUBYOPT",
        "RUBYLIB",
        "NODE_OPTIONS",
        "NODE_PATH",
        "CLASSPATH",
        "JAVA_TOOL_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "_JAVA_OPTIONS",
        "PHPRC",
        "PHP_INI_SCAN_DIR",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "MAKEFILES",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "LESSOPEN",
        "SSH_ASKPASS",
        "GIT_ASKPASS",
        "GIT_EDITOR",
        "GIT_EXEC_PATH",
        "GIT_EXTERNAL_DIFF",
        "GIT_PAGER",
        "GIT_PROXY_COMMAND",
        "GIT_SEQUENCE_EDITOR",
        "GIT_TEMPLATE_DIR",
    ];
    const BEGINNINGS: [&str; 6] = ["LD_", "DYLD_", "GIT_CONFIG", "GIT_SSH", "LUA_INIT", "BASH_FUNC_"];
    name == crate::processes::MARK
        || NAMES.contains(&name)
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
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
            let program = exec.program(command)?;
            let directory = exec.directory(command.directory.as_deref())?;
            let launched = exec.launched(&program)?;
            Ok((program, directory, exec.environment(command)?, launched))
        })();
        let (program, directory, environment, confined) = match checked {
            Ok(checked) => checked,
            Err(error) => return Ok(Err(error)),
        };
        let digest = exec.digests.of(&program);
        exec.audit.decide(exec.ruling(command, &program, digest, confined.is_some()));
        let checked = Checked { program: &program, directory: &directory, environment, confined };
        match command.run(checked, &exec.processes, &*exec.listen, &exec.mask).await {
            Ok(status) => Ok(Ok(match outcome(status) {
                Ok(code) => exec::Status::Exited(code),
                Err(signal) => exec::Status::Signalled(signal),
            })),
            Err(Stopped::System(error)) => {
                Ok(Err(exec::Error::Failed(format!("the system could not run `{}`: {error}", command.program))))
            }
            Err(Stopped::NotStarted(reason)) => {
                Ok(Err(exec::Error::Failed(format!("`{}` could not be run confined: {reason}", command.program))))
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

#[cfg(test)]
mod tests {
    use super::is_dangerous;

    #[test]
    fn a_plugin_chooses_no_code_by_a_variable() {
        for name in ["PATH", "LD_PRELOAD", "BASH_ENV", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "NODE_OPTIONS"] {
            assert!(is_dangerous(name), "{name}");
        }
        for name in ["GIT_TERMINAL_PROMPT", "GIT_AUTHOR_NAME", "TOKEN", "PATHS", "LDFLAGS"] {
            assert!(!is_dangerous(name), "{name}");
        }
    }
}
