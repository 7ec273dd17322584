//! From the archive's bytes to artifacts and outputs.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use sluice_sdk::artifacts::Writer;
use sluice_sdk::{Failure, Sink, Step};

use crate::archive::{self, Entry};
use crate::inputs::Inputs;

/// What is handed to the host at once.
const PIECE: usize = 256 * 1024;
/// How many entries pass between two words about the progress.
const REPORT_EVERY: usize = 64;

/// Packs `entries`, publishes the archive piece by piece, and sets the outputs.
pub fn publish(step: &Step, sink: &Sink, inputs: &Inputs, entries: &[Entry]) -> Result<(), Failure> {
    let name = inputs.file_name();
    let artifact = Counted { inner: Writer::start(&name, inputs.format.media_type())?, bytes: 0 };
    let before = |done: usize| {
        if step.cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        if done.is_multiple_of(REPORT_EVERY) {
            sink.progress(done as u64, Some(entries.len() as u64), format!("packing `{name}`"));
        }
        Ok(())
    };
    let out = BufWriter::with_capacity(PIECE, artifact);
    let out = archive::write(inputs.format, Path::new(&inputs.from), entries, inputs.epoch, out, before)?;
    let Counted { inner, bytes } = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    let digest = inner.finish()?;

    if inputs.checksums {
        let mut sums = Writer::start("SHA256SUMS", "text/plain; charset=utf-8")?;
        sums.write(sha256sums(&digest, &name).as_bytes())?;
        sink.output("checksums", sums.finish()?)?;
    }
    sink.output("artifact", digest)?;
    sink.output("name", &name)?;
    sink.output("size", bytes)?;
    sink.output("files", entries.len())
}

/// One line as `sha256sum --check` reads it: 64 hexadecimal digits, two spaces, the name.
fn sha256sums(digest: &str, name: &str) -> String {
    format!("{}  {name}\n", digest.trim_start_matches("sha256:"))
}

/// Counts what passes.
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
