//! Rules about the programs that `RUN` runs.

use super::*;
use crate::dockerfile::shell::Command;

const POINTLESS: &[&str] = &["ssh", "vim", "shutdown", "service", "ps", "free", "top", "kill", "mount", "ifconfig"];

pub fn check(model: &Model, found: &mut Vec<Finding>) {
    let mut fetchers: Vec<(&'static str, Option<usize>, std::ops::Range<usize>)> = Vec::new();
    for (number, run, commands) in model.runs() {
        for command in commands {
            let program = command.words[0].range.clone();
            let name = command.program();
            match name {
                "sudo" => found.push(
                    Finding::new(&SUDO, program, "`sudo` in a build, which runs as root anyway")
                        .help("leave it out, or use `USER`"),
                ),
                _ if POINTLESS.contains(&name) => {
                    found.push(Finding::new(
                        &POINTLESS_COMMAND,
                        program,
                        format!("`{name}` makes no sense in a build"),
                    ));
                }
                "apt" => found.push(
                    Finding::new(&APT, program.clone(), "`apt` is made for terminals and changes between versions")
                        .help("use `apt-get` or `apt-cache`")
                        .fix("use `apt-get`", false, program, "apt-get"),
                ),
                "useradd" => useradd(command, found),
                "ln" => link_shell(command, found),
                "wget" => {
                    wget(command, found);
                    fetchers.push(("wget", model.stage_of[number], program));
                }
                "curl" => fetchers.push(("curl", model.stage_of[number], program)),
                _ => {}
            }
        }
        // A script goes back by itself, but a lone `cd` at its beginning is a `WORKDIR`.
        if let Some(first) = commands.iter().find(|command| command.program() == "cd")
            && run.heredocs.is_empty()
        {
            found.push(
                Finding::new(&CD, first.range(), "`cd` lasts only to the end of this `RUN`")
                    .help("set `WORKDIR` before"),
            );
        }
        pipefail(model, number, commands, found);
    }
    wget_and_curl(&fetchers, found);
}

fn useradd(command: &Command, found: &mut Vec<Finding>) {
    let flags = command.arguments();
    let short = |letter| {
        flags
            .iter()
            .any(|word| !word.text.starts_with("--") && word.text.starts_with('-') && word.text.contains(letter))
    };
    if command.has(&["--no-log-init"]) || short('l') {
        return;
    }
    let number = flags.iter().enumerate().find_map(|(at, word)| match word.text.as_str() {
        "-u" | "--uid" => flags.get(at + 1).map(|next| next.text.as_str()),
        text => text.strip_prefix("--uid=").or_else(|| text.strip_prefix("-u")),
    });
    if number.is_some_and(|number| number.len() > 5 && number.bytes().all(|byte| byte.is_ascii_digit())) {
        found.push(
            Finding::new(&USERADD_LOG, command.range(), "`useradd` makes a huge sparse log for a high number")
                .help("add `--no-log-init`"),
        );
    }
}

fn link_shell(command: &Command, found: &mut Vec<Finding>) {
    if command.has(&["/bin/sh"]) {
        found.push(
            Finding::new(&LINK_SHELL, command.range(), "`/bin/sh` is replaced for everything in the image")
                .help("use `SHELL [\"/bin/bash\", \"-c\"]`"),
        );
    }
}

fn wget(command: &Command, found: &mut Vec<Finding>) {
    let quiet = command.arguments().iter().any(|word| {
        let text = word.text.as_str();
        let short = text.starts_with('-') && !text.starts_with("--") && text.contains('q');
        let no_verbose = text == "-nv" || (text.starts_with("-n") && text.contains('v'));
        short
            || no_verbose
            || text == "--quiet"
            || text == "--no-verbose"
            || text.starts_with("--progress")
            || text.starts_with("--output-file")
            || text.starts_with("--append-output")
            || matches!(text, "-o" | "-a" | "--version" | "--help")
    });
    if !quiet {
        found.push(
            Finding::new(&WGET_PROGRESS, command.range(), "`wget` fills the log with its progress")
                .help("add `--progress=dot:giga` or `-nv`"),
        );
    }
}

fn pipefail(model: &Model, number: usize, commands: &[Command], found: &mut Vec<Finding>) {
    let sets = |command: &Command| command.program() == "set" && command.has(&["pipefail"]);
    let Some(first) = commands.iter().position(|command| command.piped) else { return };
    if !model.pipefail[number] && !commands[..first].iter().any(sets) {
        let message = format!("if `{}` fails, the `RUN` succeeds all the same", commands[first].program());
        found.push(
            Finding::new(&PIPEFAIL, commands[first].range(), message)
                .help("put `SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]` before, or `set -o pipefail`"),
        );
    }
}

/// One stage that fetches with both programs.
fn wget_and_curl(fetchers: &[(&'static str, Option<usize>, std::ops::Range<usize>)], found: &mut Vec<Finding>) {
    for (at, (name, stage, range)) in fetchers.iter().enumerate() {
        let other = fetchers[..at].iter().any(|(earlier, of, _)| earlier != name && of == stage);
        if other && !fetchers[..at].iter().any(|(earlier, of, _)| earlier == name && of == stage) {
            found.push(
                Finding::new(&WGET_AND_CURL, range.clone(), format!("`{name}` beside another program for the same"))
                    .help("use one of `wget` and `curl`"),
            );
        }
    }
}
