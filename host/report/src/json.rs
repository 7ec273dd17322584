//! One event a line, as in `events.jsonl`.

use std::io::{self, Write};

use sluice_model::Event;

/// Writes one event and a line feed. No CI system that reads the output finds a command in it: of two number signs, which
/// only texts have, one is written as an escape, which means the same.
///
/// # Errors
/// Those of `out`.
pub fn write(event: &Event, out: &mut dyn Write) -> io::Result<()> {
    let line = serde_json::to_string(event)?;
    let line = if line.contains("##") { line.replace("##", "#\\u0023") } else { line };
    writeln!(out, "{line}")
}

#[cfg(test)]
mod tests {
    use sluice_model::EventKind;

    use super::*;

    #[test]
    fn a_command_to_a_ci_system_is_spelled_so_that_only_json_reads_it() {
        let message = "##[set-env name=x]y ###vso[z]".to_owned();
        let event = Event { seq: 0, at: 0, kind: EventKind::Warning { message } };
        let mut out = Vec::new();
        write(&event, &mut out).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert!(!line.contains("##"), "{line}");
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}
