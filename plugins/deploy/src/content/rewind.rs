//! Seeking in what can only be read forwards.

use std::io::{self, Read, Seek, SeekFrom};

use super::Open;

/// An archive that is opened anew to go back. Meant for `zip`, whose directory stands at the end and whose files are
/// then read forwards.
pub struct Rewind<'a> {
    open: &'a Open,
    reader: Box<dyn Read>,
    size: u64,
    /// Where `reader` stands.
    at: u64,
    /// Where the next read begins.
    wanted: u64,
}

impl<'a> Rewind<'a> {
    pub fn new(open: &'a Open, size: u64) -> io::Result<Self> {
        Ok(Self { open, reader: open()?, size, at: 0, wanted: 0 })
    }
}

impl Read for Rewind<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.wanted >= self.size {
            return Ok(0);
        }
        if self.wanted < self.at {
            self.reader = (self.open)()?;
            self.at = 0;
        }
        self.at += io::copy(&mut self.reader.by_ref().take(self.wanted - self.at), &mut io::sink())?;
        if self.at < self.wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let count = self.reader.read(buffer)?;
        self.at += count as u64;
        self.wanted = self.at;
        Ok(count)
    }
}

impl Seek for Rewind<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.wanted.checked_add_signed(by),
        };
        self.wanted = wanted.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_begin_where_they_are_wanted() {
        let open: Box<Open> = Box::new(|| Ok(Box::new(&b"0123456789"[..])));
        let mut rewind = Rewind::new(&open, 10).unwrap();
        let cases = [
            (SeekFrom::Start(3), "34"),
            (SeekFrom::Current(1), "67"),
            (SeekFrom::Start(0), "01"),
            (SeekFrom::End(-1), "9"),
            (SeekFrom::Start(12), ""),
            (SeekFrom::Current(-5), "78"),
        ];
        for (to, expected) in cases {
            rewind.seek(to).unwrap();
            let mut text = String::new();
            rewind.by_ref().take(2).read_to_string(&mut text).unwrap();
            assert_eq!(text, expected, "{to:?}");
        }
        assert!(rewind.seek(SeekFrom::Current(-50)).is_err());
    }
}
