//! One event a line, as in `events.jsonl`.

use std::io::{self, Write};

use sluice_model::Event;

/// Writes one event and a line feed.
pub fn write(event: &Event, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, event)?;
    out.write_all(b"\n")
}
