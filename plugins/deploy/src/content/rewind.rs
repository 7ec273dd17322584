//! Seeking in what can only be read forwards.

use std::io::{self, Read, Seek, SeekFrom};

use super::Open;

/// Bytes that are kept in memory: enough to look twice at a header without beginning anew.
const BLOCK: u64 = 1 << 20;

/// An archive that is opened anew to go far back. Meant for `zip`, whose directory stands at the end and whose files
/// are then read forwards.
pub struct Rewind<'a> {
    open: &'a Open,
    reader: Box<dyn Read>,
    size: u64,
    /// The bytes before the place where `reader` stands.
    block: Vec<u8>,
    /// Where `block` begins.
    start: u64,
    /// Where the next read begins.
    wanted: u64,
}

impl<'a> Rewind<'a> {
    pub fn new(open: &'a Open, size: u64) -> io::Result<Self> {
        Ok(Self { open, reader: open()?, size, block: Vec::new(), start: 0, wanted: 0 })
    }

    /// Where `reader` stands.
    fn at(&self) -> u64 {
        self.start + self.block.len() as u64
    }

    /// Makes `block` begin where the next read begins.
    fn fill(&mut self) -> io::Result<()> {
        let mut at = self.at();
        self.block.clear();
        if self.wanted < at {
            self.reader = (self.open)()?;
            at = 0;
        }
        let skipped = io::copy(&mut self.reader.by_ref().take(self.wanted - at), &mut io::sink())?;
        self.start = at + skipped;
        self.reader.by_ref().take(BLOCK).read_to_end(&mut self.block)?;
        if self.start < self.wanted || self.block.is_empty() {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(())
        }
    }
}

impl Read for Rewind<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.wanted >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        if self.wanted < self.start || self.wanted >= self.at() {
            self.fill()?;
        }
        // Within the block, whose length is a `usize`.
        let from = (self.wanted - self.start) as usize;
        let count = buffer.len().min(self.block.len() - from);
        buffer[..count].copy_from_slice(&self.block[from..from + count]);
        self.wanted += count as u64;
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
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn reads_begin_where_they_are_wanted_and_going_back_a_little_is_cheap() {
        let bytes: Vec<u8> = (0..3 * BLOCK).map(|at| (at / 1000) as u8).collect();
        let size = bytes.len() as u64;
        let opened = Rc::new(Cell::new(0));
        let open: Box<Open> = Box::new({
            let opened = opened.clone();
            move || {
                opened.set(opened.get() + 1);
                Ok(Box::new(io::Cursor::new(bytes.clone())))
            }
        });
        let mut rewind = Rewind::new(&open, size).unwrap();
        let cases = [
            (SeekFrom::Start(3_000), vec![3, 3], 1),
            (SeekFrom::Start(5_999), vec![5, 6], 1),
            (SeekFrom::Current(-3_001), vec![3, 3], 1),
            (SeekFrom::Start(1_100_999), vec![76, 77], 1),
            (SeekFrom::Start(0), vec![0, 0], 2),
            (SeekFrom::Start(BLOCK - 1), vec![24, 24], 2),
            (SeekFrom::End(-1), vec![73], 2),
            (SeekFrom::End(2), vec![], 2),
        ];
        for (to, expected, times) in cases {
            rewind.seek(to).unwrap();
            let mut found = Vec::new();
            rewind.by_ref().take(2).read_to_end(&mut found).unwrap();
            assert_eq!((found, opened.get()), (expected, times), "{to:?}");
        }
        assert!(rewind.seek(SeekFrom::Current(-(size as i64) - 50)).is_err());
    }

    #[test]
    fn an_archive_that_is_shorter_than_told_is_an_error() {
        let open: Box<Open> = Box::new(|| Ok(Box::new(&b"0123"[..])));
        for at in [4, 7] {
            let mut rewind = Rewind::new(&open, 10).unwrap();
            rewind.seek(SeekFrom::Start(at)).unwrap();
            assert_eq!(rewind.read(&mut [0; 4]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
