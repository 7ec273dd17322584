//! Turns files into the bytes of an archive, the same on any machine.

mod entry;
mod source;
mod tar_gz;
#[cfg(test)]
mod tests;
mod zip;

use std::io;
use std::io::Write;
use std::path::Path;

pub use entry::Entry;

use crate::inputs::Format;

/// Bytes that are read from a file at once.
const CHUNK: usize = 64 * 1024;
/// Level of deflate. A constant, since it decides the bytes.
const LEVEL: u32 = 6;
const MODE: u32 = 0o644;
const EXECUTABLE_MODE: u32 = 0o755;

fn mode(entry: &Entry) -> u32 {
    if entry.executable { EXECUTABLE_MODE } else { MODE }
}

/// Writes an archive of `entries`, in their order, to `out` and gives `out` back. The files are found below the folder
/// `from`; `epoch` is their modification time in seconds since 1970. `before` is called before each entry with the
/// number of entries done; an error from it ends the work.
pub fn write<W: Write>(
    format: Format,
    from: &Path,
    entries: &[Entry],
    epoch: u32,
    out: W,
    before: impl FnMut(usize) -> io::Result<()>,
) -> io::Result<W> {
    match format {
        Format::TarGz => tar_gz::write(from, entries, epoch, out, before),
        Format::Zip => zip::write(from, entries, epoch, out, before),
    }
}
