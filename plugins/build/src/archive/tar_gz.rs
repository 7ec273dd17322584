//! `tar.gz`: POSIX `ustar` headers, with a `pax` header before what they cannot say
//! ([pax](https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html)), in one gzip member
//! ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)).

use std::io::{self, BufReader, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use tar::{Builder, Header};

use super::source::Source;
use super::{CHUNK, Entry, LEVEL, mode};

/// RFC 1952: the operating system is unknown.
const OS_UNKNOWN: u8 = 255;
/// The most that the eleven octal digits of a `ustar` size can say: 8 GiB less one byte.
const MOST_IN_USTAR: u64 = 0o777_7777_7777;

pub fn write<W: Write>(
    from: &Path,
    entries: &[Entry],
    epoch: u32,
    out: W,
    mut before: impl FnMut(usize) -> io::Result<()>,
) -> io::Result<W> {
    let gzip = GzBuilder::new().mtime(0).operating_system(OS_UNKNOWN).write(out, Compression::new(LEVEL));
    let mut builder = Builder::new(gzip);
    for (done, entry) in entries.iter().enumerate() {
        before(done)?;
        append(&mut builder, from, entry, epoch, done)?;
    }
    builder.into_inner()?.finish()
}

fn append<W: Write>(builder: &mut Builder<W>, from: &Path, entry: &Entry, epoch: u32, number: usize) -> io::Result<()> {
    let source = Source::open(from, &entry.path)?;
    let mut header = Header::new_ustar();
    let mut extensions = Vec::new();

    // The name fields of `ustar` hold 100 and 155 bytes and are ASCII by definition.
    if !entry.name.is_ascii() || header.set_path(&entry.name).is_err() {
        extensions.push(("path", entry.name.clone()));
        // For programs that do not know `pax`; the header above is what counts.
        header.set_path(format!("long-name-{number}"))?;
    }
    if source.size() > MOST_IN_USTAR {
        extensions.push(("size", source.size().to_string()));
        header.set_size(0);
    } else {
        header.set_size(source.size());
    }
    header.set_mode(mode(entry));
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(epoch.into());
    header.set_cksum();

    builder.append_pax_extensions(extensions.iter().map(|(key, value)| (*key, value.as_bytes())))?;
    builder.append(&header, BufReader::with_capacity(CHUNK, source))
}
