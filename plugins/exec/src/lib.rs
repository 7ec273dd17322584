//! Runs a shell script or a program on the machine that runs the workflow, with the grant for just that.

mod inputs;

use sluice_sdk::exec::{Command, Status};
use sluice_sdk::{Failure, Sink, Step, Task};

use inputs::Inputs;

struct Plugin;

impl Task for Plugin {
    fn run(step: &Step, sink: &Sink) -> Result<(), Failure> {
        let inputs: Inputs = step.inputs()?;
        let call = inputs.call()?;

        let mut command = Command::new(&call.program).args(call.args).directory(&inputs.directory);
        for (name, value) in &inputs.env {
            command = command.env(name, value);
        }
        for (name, secret) in &inputs.secret_env {
            command = command.env_secret(name, secret);
        }
        if let Some(text) = &inputs.stdin {
            command = command.stdin(text.as_bytes());
        }
        let status = command.run()?;

        let code = exit_code(status);
        sink.output("exit-code", code)?;
        sink.output("stdout", output_text(&command.stdout()))?;
        sink.output("stderr", output_text(&command.stderr()))?;
        let allowed = matches!(status, Status::Exited(code) if inputs.allow_exit_codes.contains(&code));
        if allowed { Ok(()) } else { Err(Failure::failed(format!("{} {status}", call.title))) }
    }
}

/// A signal counts as shells count it.
fn exit_code(status: Status) -> i32 {
    match status {
        Status::Exited(code) => code,
        Status::Signalled(signal) => 128 + signal,
    }
}

/// The most that an output takes of what a program printed, in bytes. The log has it all; outputs go into the record
/// and into expressions, where a long build log would only be a weight.
const OUTPUT: usize = 64 << 10;

/// What a program printed as the value of an output: its end, as text, without white space behind it.
fn output_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end();
    text[text.ceil_char_boundary(text.len().saturating_sub(OUTPUT))..].to_owned()
}

sluice_sdk::plugin!(Plugin: Task, "plugin.yaml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_counts_as_in_a_shell() {
        assert_eq!(exit_code(Status::Exited(3)), 3);
        assert_eq!(exit_code(Status::Signalled(15)), 143);
    }

    #[test]
    fn an_output_is_the_end_of_what_was_printed() {
        assert_eq!(output_text(b"  1.2.3 \n\n"), "  1.2.3");
        assert_eq!(output_text(b"\xff\n"), "\u{fffd}");
        assert_eq!(output_text(b""), "");
        // 65,537 bytes: the cut falls into the two bytes of the first character, so it goes as a whole.
        let long = format!("é{}", "x".repeat(OUTPUT - 1));
        assert_eq!(output_text(long.as_bytes()), "x".repeat(OUTPUT - 1));
    }
}
