//! `zip`: deflate, written without seeking, so each size follows its file
//! ([APPNOTE](https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), 4.4.4 bit 3).

use std::io::{self, BufReader, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::source::Source;
use super::{CHUNK, Entry, LEVEL, mode};

/// Files from this size on get 64-bit sizes. Below 4 GiB, since deflate may make a file a little longer.
const LARGE: u64 = 0xF000_0000;

pub fn write<W: Write>(
    from: &Path,
    entries: &[Entry],
    epoch: u32,
    out: W,
    mut before: impl FnMut(usize) -> io::Result<()>,
) -> io::Result<W> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL.into()))
        .system(System::Unix)
        .last_modified_time(dos_time(epoch)?);
    let mut zip = ZipWriter::new_stream(out);
    for (done, entry) in entries.iter().enumerate() {
        before(done)?;
        let source = Source::open(from, &entry.path)?;
        let options = options.unix_permissions(mode(entry)).large_file(source.size() >= LARGE);
        zip.start_file(&entry.name, options)?;
        io::copy(&mut BufReader::with_capacity(CHUNK, source), &mut zip)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Seconds since 1970 as UTC in the format of MS-DOS, which knows the years 1980 to 2107 and every second second.
/// Earlier is told as 1980-01-01.
fn dos_time(epoch: u32) -> io::Result<DateTime> {
    const DAY: u32 = 86_400;
    let mut days = epoch / DAY;
    let mut year = 1970_u16;
    let leap = |year: u16| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u32::from(leap(year)) {
        days -= 365 + u32::from(leap(year));
        year += 1;
    }
    if year < 1980 {
        return Ok(DateTime::default());
    }
    let lengths = [31, 28 + u32::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let second = epoch % DAY;
    let byte = |value: u32| u8::try_from(value).map_err(io::Error::other);
    let (month, day) = (byte(month as u32 + 1)?, byte(days + 1)?);
    let (hour, minute, second) = (byte(second / 3600)?, byte(second / 60 % 60)?, byte(second % 60)?);
    DateTime::from_date_and_time(year, month, day, hour, minute, second).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_calendar_dates() {
        // Expected values from `date --utc --date=@SECONDS '+%F %T'`.
        let cases = [
            (0, "1980-01-01 00:00:00"),
            (315_532_799, "1980-01-01 00:00:00"),
            (315_532_800, "1980-01-01 00:00:00"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_251_199, "2024-02-29 23:59:58"),
            (1_735_689_600, "2025-01-01 00:00:00"),
            (u32::MAX, "2106-02-07 06:28:14"),
        ];
        for (epoch, expected) in cases {
            assert_eq!(dos_time(epoch).unwrap().to_string(), expected, "{epoch}");
        }
    }
}
